/* Random tensors: a pure function of (seed of the run, seed of the node, step of the run, iteration
 * of the scan around, flat index of the element), see base/rng.h. So a run repeated with the same
 * seed and step gives the same bits, for any number of threads and any partition.
 *
 *   random_uniform   [0, 1)
 *   random_normal    mean 0, deviation 1
 *   dropout_mask     1 / (1 - rate) with probability 1 - rate, else 0; all 0 for rate >= 1
 *
 * Rows are elements; memory: none beside the output.
 */
#include <math.h>

#include "graph/emit.h"

enum { SHAPE, DTYPE }; /* attributes; seed and rate follow */

static bool infer_random(srn_infer *x, const char *name, srn_error *err) {
    srn_ints dims = x->attr[SHAPE].ints;
    srn_dtype dtype = (srn_dtype)x->attr[DTYPE].i;
    if (dims.n > SRN_MAX_RANK) {
        return srn_fail(err, SRN_ERR_VALUE, "%s: a shape has at most %d axes, got %d", name,
                        SRN_MAX_RANK, (int)dims.n);
    }
    if (!srn_dtype_is_float(dtype)) {
        return srn_fail(err, SRN_ERR_TYPE, "%s: dtype must be float32 or float64, got %s", name,
                        srn_dtype_name(dtype));
    }
    x->out[0] = (srn_type){dtype, srn_shape_of(dims.n, dims.v)};
    return srn_shape_check(&x->out[0].shape, err);
}

static int64_t elements(const srn_infer *x) {
    return srn_shape_count(&x->out[0].shape);
}

/* About 16 operations for a uniform number, 64 for a normal one. */
static double cost_uniform(const srn_infer *x) {
    return 16.0 * (double)elements(x);
}

static double cost_normal(const srn_infer *x) {
    return 64.0 * (double)elements(x);
}

static srn_rng_key key_of(const srn_exec *x, int64_t node_seed) {
    const uint64_t iteration = (uint64_t)x->state->iteration;
    return (srn_rng_key){
        .seed = x->state->seed,
        .stream = (uint64_t)node_seed,
        .step = x->state->step + iteration * 0x9E3779B97F4A7C15u, /* steps are small: no meeting */
    };
}

/* ---- uniform and normal ---- */

enum { SEED = 2 };

static const srn_attr_spec random_attrs[] = {
    {.name = "shape", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "dtype", .kind = SRN_ATTR_DTYPE, .dflt = {.i = SRN_F32}},
    {.name = "seed", .kind = SRN_ATTR_INT},
    {0},
};

static bool infer_random_uniform(srn_infer *x, srn_error *err) {
    return infer_random(x, "random_uniform", err);
}

static bool infer_random_normal(srn_infer *x, srn_error *err) {
    return infer_random(x, "random_normal", err);
}

static void exec_random_uniform(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_rng_key key = key_of(x, x->attr[SEED].i);
    void *out = srn_view_at(x->out[0], row0);
    if (x->out[0]->type.dtype == SRN_F32) {
        srn_rng_uniform_f32(key, row0, row1 - row0, out);
    } else {
        srn_rng_uniform_f64(key, row0, row1 - row0, out);
    }
}

static void exec_random_normal(const srn_exec *x, int64_t row0, int64_t row1) {
    srn_rng_key key = key_of(x, x->attr[SEED].i);
    void *out = srn_view_at(x->out[0], row0);
    if (x->out[0]->type.dtype == SRN_F32) {
        srn_rng_normal_f32(key, row0, row1 - row0, out);
    } else {
        srn_rng_normal_f64(key, row0, row1 - row0, out);
    }
}

const srn_op srn_op_random_uniform = {
    .name = "random_uniform",
    .doc = "random_uniform(shape, dtype=float32, seed=0): uniform in [0, 1); `seed` is the node's.",
    .n_out = 1,
    .attrs = random_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_RANDOM,
    .infer = infer_random_uniform,
    .rows = elements,
    .cost = cost_uniform,
    .min_block = 4,
    .exec = exec_random_uniform,
};

const srn_op srn_op_random_normal = {
    .name = "random_normal",
    .doc = "random_normal(shape, dtype=float32, seed=0): standard normal; `seed` is the node's.",
    .n_out = 1,
    .attrs = random_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_RANDOM,
    .infer = infer_random_normal,
    .rows = elements,
    .cost = cost_normal,
    .min_block = 4,
    .exec = exec_random_normal,
};

/* ---- dropout ---- */

enum { RATE = 2, MASK_SEED = 3 };

static const srn_attr_spec mask_attrs[] = {
    {.name = "shape", .kind = SRN_ATTR_INTS, .required = true},
    {.name = "dtype", .kind = SRN_ATTR_DTYPE, .dflt = {.i = SRN_F32}},
    {.name = "rate", .kind = SRN_ATTR_FLOAT, .required = true},
    {.name = "seed", .kind = SRN_ATTR_INT},
    {0},
};

static bool infer_dropout_mask(srn_infer *x, srn_error *err) {
    if (!(x->attr[RATE].f >= 0)) {
        return srn_fail(err, SRN_ERR_VALUE, "dropout_mask: rate must be in [0, 1], got %g",
                        x->attr[RATE].f);
    }
    return infer_random(x, "dropout_mask", err);
}

/* A number of random_uniform is k / 2^24, k the upper 24 bits of its word: it is below the rate when k
 * is below limit = ceil(2^24 rate). */
#define DEFINE_MASK(T)                                                                             \
    static void mask_##T(T *out, const uint32_t *words, int64_t n, int32_t limit, T kept) {        \
        for (int64_t i = 0; i < n; i++) {                                                          \
            out[i] = (int32_t)(words[i] >> 8) < limit ? 0 : kept;                                  \
        }                                                                                          \
    }
DEFINE_MASK(float)
DEFINE_MASK(double)

static void exec_dropout_mask(const srn_exec *x, int64_t row0, int64_t row1) {
    enum { CHUNK = 1024 };
    const srn_rng_key key = key_of(x, x->attr[MASK_SEED].i);
    const srn_view *out = x->out[0];
    const double rate = x->attr[RATE].f, kept = rate < 1 ? 1 / (1 - rate) : 0;
    const int32_t limit = rate < 1 ? (int32_t)ceil(rate * 0x1p24) : 1 << 24;
    uint32_t words[CHUNK];
    for (int64_t row = row0, n; row < row1; row += n) {
        n = row1 - row < CHUNK ? row1 - row : CHUNK;
        srn_rng_words(key, row, n, words);
        if (out->type.dtype == SRN_F32) {
            mask_float(srn_view_at(out, row), words, n, limit, (float)kept);
        } else {
            mask_double(srn_view_at(out, row), words, n, limit, kept);
        }
    }
}

const srn_op srn_op_dropout_mask = {
    .name = "dropout_mask",
    .doc = "dropout_mask(shape, dtype=float32, rate, seed=0): 0 with probability `rate`, else\n"
           "1 / (1 - rate); all 0 for rate >= 1. `seed` is the node's.",
    .n_out = 1,
    .attrs = mask_attrs,
    .diff = SRN_DIFF_ZERO,
    .parallel = SRN_ROWS,
    .flags = SRN_FLAG_RANDOM,
    .infer = infer_dropout_mask,
    .rows = elements,
    .cost = cost_uniform,
    .min_block = 4,
    .exec = exec_dropout_mask,
};
