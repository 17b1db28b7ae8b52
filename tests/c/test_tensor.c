/* Dtypes, shapes, broadcasting. */
#include "tensor/view.h"
#include "testing.h"

static srn_shape shape(int32_t rank, int64_t a, int64_t b, int64_t c) {
    const int64_t dims[] = {a, b, c};
    return srn_shape_of(rank, dims);
}

static void test_dtype(void) {
    static const size_t sizes[] = {4, 8, 4, 8, 1};
    for (int i = 0; i < SRN_N_DTYPES; i++) {
        srn_dtype back;
        CHECK(srn_dtype_from_name(&back, srn_dtype_name((srn_dtype)i)) && back == (srn_dtype)i);
        CHECK(srn_dtype_size((srn_dtype)i) == sizes[i]);
        CHECK(srn_dtype_is_float((srn_dtype)i) == (i == SRN_F32 || i == SRN_F64));
    }
    srn_dtype none;
    CHECK(!srn_dtype_from_name(&none, "float16"));
}

static void check_broadcast(srn_shape a, srn_shape b, bool fits, srn_shape want) {
    srn_shape got = shape(1, 77, 0, 0);
    CHECK(srn_shape_broadcast(&got, &a, &b) == fits);
    CHECK(srn_shape_equal(&got, &want));
    got = shape(1, 77, 0, 0);
    CHECK(srn_shape_broadcast(&got, &b, &a) == fits);
    CHECK(srn_shape_equal(&got, &want));
}

static void test_shape(void) {
    srn_shape a = shape(3, 2, 3, 4);
    CHECK(srn_shape_count(&a) == 24 && srn_shape_product(&a, 1, 3) == 12);
    CHECK(srn_shape_product(&a, 1, 1) == 1);
    srn_shape scalar = shape(0, 0, 0, 0), empty = shape(2, 3, 0, 0), row = shape(1, 4, 0, 0);
    CHECK(srn_shape_count(&scalar) == 1 && srn_shape_count(&empty) == 0);
    srn_shape column = shape(2, 3, 1, 0), other = shape(1, 3, 0, 0), untouched = shape(1, 77, 0, 0);
    CHECK(srn_shape_equal(&a, &a) && !srn_shape_equal(&row, &other));
    CHECK(!srn_shape_equal(&row, &scalar));
    check_broadcast(a, row, true, a);
    check_broadcast(a, column, true, a);
    check_broadcast(a, scalar, true, a);
    check_broadcast(column, row, true, shape(2, 3, 4, 0));
    check_broadcast(empty, shape(1, 1, 0, 0), true, empty);
    check_broadcast(column, shape(1, 0, 0, 0), true, empty);
    check_broadcast(a, other, false, untouched);
    check_broadcast(row, shape(1, 0, 0, 0), false, untouched);

    int64_t s[SRN_MAX_RANK];
    srn_shape_strides(s, &a, &a);
    CHECK(s[0] == 12 && s[1] == 4 && s[2] == 1);
    srn_shape_strides(s, &row, &a);
    CHECK(s[0] == 0 && s[1] == 0 && s[2] == 1);
    srn_shape_strides(s, &column, &a);
    CHECK(s[0] == 0 && s[1] == 1 && s[2] == 0);
    srn_shape_strides(s, &scalar, &a);
    CHECK(s[0] == 0 && s[1] == 0 && s[2] == 0);
}

static void test_check_and_text(void) {
    srn_error err = {0};
    char text[SRN_SHAPE_TEXT];
    srn_shape a = shape(3, 2, 3, 4), b = shape(1, 5, 0, 0), scalar = shape(0, 0, 0, 0);
    CHECK(strcmp(srn_shape_text(text, &a), "(2, 3, 4)") == 0);
    CHECK(strcmp(srn_shape_text(text, &b), "(5,)") == 0);
    CHECK(strcmp(srn_shape_text(text, &scalar), "()") == 0);
    CHECK(srn_shape_check(&a, &err) && srn_shape_check(&scalar, &err));
    srn_shape negative = shape(2, 3, -1, 0), huge = shape(3, INT64_MAX / 2, 0, 5), rank = a;
    CHECK(!srn_shape_check(&negative, &err) && err.status == SRN_ERR_VALUE);
    CHECK_SAYS(err, "(3, -1)");
    srn_error_clear(&err);
    CHECK(!srn_shape_check(&huge, &err) && err.status == SRN_ERR_VALUE);
    srn_error_clear(&err);
    rank.rank = SRN_MAX_RANK + 1;
    CHECK(!srn_shape_check(&rank, &err));
    srn_shape widest = {.rank = SRN_MAX_RANK};
    for (int i = 0; i < SRN_MAX_RANK; i++) {
        widest.dim[i] = INT64_MIN;
    }
    CHECK(strlen(srn_shape_text(text, &widest)) < sizeof text);
    srn_type type = {SRN_F64, a};
    CHECK(srn_type_bytes(&type) == 192);
    double data[24];
    srn_view view = {type, data};
    CHECK(srn_view_at(&view, 5) == (void *)(data + 5));
}

int main(void) {
    test_dtype();
    test_shape();
    test_check_and_text();
    return test_summary("tensor");
}
