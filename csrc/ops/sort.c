/* The order of the elements along the last axis.
 *
 *   y = argsort(x):  x[.., y[.., 0]] <= x[.., y[.., 1]] <= ...     equal ones as they stand in x
 *
 * Merge sort from the bottom up (Knuth, The Art of Computer Programming 3, 1973, section 5.2.4): runs
 * of 1, 2, 4, ... places are merged, back and forth between the output and the scratch. Stable, so
 * there is one right answer. NaN comes last, whatever the direction. Rows are the leading axes;
 * memory: one row of places per worker.
 */
#include "base/memory.h"
#include "graph/emit.h"

#include <string.h>

enum { DESCENDING };

static const srn_attr_spec attrs[] = {
    {.name = "descending", .kind = SRN_ATTR_BOOL},
    {0},
};

static int64_t width_of(const srn_type *type) {
    return type->shape.dim[type->shape.rank - 1];
}

static bool infer(srn_infer *x, srn_error *err) {
    if (x->in[0]->shape.rank == 0) {
        return srn_fail(err, SRN_ERR_VALUE, "argsort: shape () has no axis to sort along");
    }
    x->out[0] = (srn_type){SRN_I64, x->in[0]->shape};
    size_t bytes; /* of the scratch */
    return srn_size_mul(&bytes, (size_t)width_of(x->in[0]), sizeof(int64_t), err);
}

static int64_t rows(const srn_infer *x) {
    return srn_shape_product(&x->in[0]->shape, 0, x->in[0]->shape.rank - 1);
}

static double cost(const srn_infer *x) {
    double passes = 1;
    for (int64_t width = 1; width < width_of(x->in[0]); width *= 2) {
        passes++;
    }
    return passes * 4 * (double)srn_shape_count(&x->in[0]->shape);
}

static size_t scratch(const srn_infer *x) {
    return (size_t)width_of(x->in[0]) * sizeof(int64_t);
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- one row: the places of x[0 .. n) in order, to `to` ---- */

#define SORT(T)                                                                                    \
    static bool behind_##T(T a, T b, bool descending) { /* whether a must stand behind b */        \
        if (a != a || b != b) {                                                                    \
            return a != a && b == b;                                                               \
        }                                                                                          \
        return descending ? a < b : a > b;                                                         \
    }                                                                                              \
    static void sort_##T(const T *x, int64_t n, bool descending, int64_t *to, int64_t *spare) {    \
        int64_t *from = to, *next = spare;                                                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            to[i] = i;                                                                             \
        }                                                                                          \
        for (int64_t width = 1; width < n; width *= 2) {                                           \
            for (int64_t begin = 0; begin < n; begin += 2 * width) {                               \
                const int64_t half = smaller(begin + width, n), end = smaller(half + width, n);    \
                int64_t a = begin, b = half;                                                       \
                for (int64_t k = begin; k < end; k++) {                                            \
                    bool second =                                                                  \
                        a == half || (b < end && behind_##T(x[from[a]], x[from[b]], descending));  \
                    next[k] = from[second ? b++ : a++];                                            \
                }                                                                                  \
            }                                                                                      \
            int64_t *sorted = next;                                                                \
            next = from;                                                                           \
            from = sorted;                                                                         \
        }                                                                                          \
        if (from != to) {                                                                          \
            memcpy(to, from, (size_t)n * sizeof *to);                                              \
        }                                                                                          \
    }

SORT(float)
SORT(double)
SORT(int32_t)
SORT(int64_t)
SORT(bool)

static void exec(const srn_exec *x, int64_t row0, int64_t row1) {
    const srn_view *in = x->in[0];
    const int64_t n = width_of(&in->type);
    const bool descending = x->attr[DESCENDING].i != 0;
    int64_t *out = x->out[0]->data, *spare = x->scratch;
    for (int64_t row = row0; row < row1 && n > 0; row++) {
        const void *from = srn_view_at(in, row * n);
        int64_t *to = out + row * n;
        switch (in->type.dtype) {
        case SRN_F32:
            sort_float(from, n, descending, to, spare);
            break;
        case SRN_F64:
            sort_double(from, n, descending, to, spare);
            break;
        case SRN_I32:
            sort_int32_t(from, n, descending, to, spare);
            break;
        case SRN_I64:
            sort_int64_t(from, n, descending, to, spare);
            break;
        default:
            sort_bool(from, n, descending, to, spare);
        }
    }
}

const srn_op srn_op_argsort = {
    .name = "argsort",
    .doc =
        "argsort(x, descending=False): int64, the places of the elements in order along the last\n"
        "axis; equal ones keep their order, NaN comes last.",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .attrs = attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_ROWS,
    .infer = infer,
    .scratch = scratch,
    .rows = rows,
    .cost = cost,
    .exec = exec,
};
