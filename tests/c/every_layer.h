/* A graph with a layer of every kind, forward and backward: LSTM, GRU, a scan with a layer
 * normalisation in it, dropout, convolution, softmax. T steps, B rows, U units. */
#ifndef SRN_TEST_EVERY_LAYER_H
#define SRN_TEST_EVERY_LAYER_H

#include "graph/scan.h"
#include "tests/c/graphs.h"

enum { T = 20, B = 40, U = 16, EVERY_INPUTS = 11 };

typedef struct every_layer {
    srn_graph *graph;
    srn_val outputs[EVERY_INPUTS + 1]; /* the loss, its gradients by all inputs */
} every_layer;

/* An input of the graph, float64, as a layer of this dtype sees it. */
static inline srn_val layer_input(srn_graph *g, srn_dtype dtype, srn_type type) {
    return srn_cast(g, srn_emit_input(g, "w", type), dtype);
}

static inline srn_val layer_weight(srn_graph *g, srn_dtype dtype, int64_t rows, int64_t columns) {
    return layer_input(g, dtype, f64_type(2, rows, columns, 0));
}

static inline srn_val lstm_layer(srn_graph *g, srn_dtype dtype, srn_val x, srn_val h0) {
    srn_val xz = srn_matmul(g, x, layer_weight(g, dtype, U, 4 * U), false, false);
    srn_val in[] = {xz, layer_weight(g, dtype, U, 4 * U), h0, h0};
    return srn_emit(g, SRN_OP_lstm, 4, in, NULL);
}

static inline srn_val gru_layer(srn_graph *g, srn_dtype dtype, srn_val x, srn_val h0) {
    srn_val xz = srn_matmul(g, x, layer_weight(g, dtype, U, 3 * U), false, false);
    srn_val rb = layer_input(g, dtype, f64_type(1, 3 * U, 0, 0));
    srn_val in[] = {xz, layer_weight(g, dtype, U, 3 * U), rb, h0};
    return srn_emit(g, SRN_OP_gru, 4, in, NULL);
}

/* h' = tanh(layer_norm(x_t + h R)) */
static inline srn_val scan_layer(srn_graph *g, srn_dtype dtype, srn_val x, srn_val h0) {
    srn_graph *body = srn_graph_new(&g->err);
    const srn_type square = {dtype, srn_shape_of(2, (int64_t[]){U, U})};
    const srn_type rows = {dtype, srn_shape_of(2, (int64_t[]){B, U})};
    const srn_type vector = {dtype, srn_shape_of(1, (int64_t[]){U})};
    srn_val h = srn_emit_input(body, "h", rows), x_t = srn_emit_input(body, "x", rows);
    srn_val r = srn_emit_input(body, "r", square), gamma = srn_emit_input(body, "gamma", vector);
    srn_val z = srn_add(body, x_t, srn_matmul(body, h, r, false, false));
    srn_val norm = srn_emit2(body, SRN_OP_layer_norm, z, gamma);
    srn_val out = srn_emit1(body, SRN_OP_tanh, norm), outputs[] = {out, out};
    srn_val in[] = {h0, x, layer_weight(g, dtype, U, U),
                    layer_input(g, dtype, f64_type(1, U, 0, 0))};
    srn_val first = srn_emit_scan(g, body, T, 1, 1, 4, in, 2, outputs, false);
    srn_graph_drop(body);
    return first + 1;
}

static inline srn_val dropout_layer(srn_graph *g, srn_dtype dtype, srn_val x) {
    srn_attr attrs[] = {{.ints = {3, (int64_t[]){T, B, U}}}, {.i = dtype}, {.f = 0.25}, {.i = 99}};
    return srn_mul(g, x, srn_emit(g, SRN_OP_dropout_mask, 0, NULL, attrs));
}

static inline srn_val conv_layer(srn_graph *g, srn_dtype dtype, srn_val x) {
    srn_val in[] = {x, layer_input(g, dtype, f64_type(3, 3, U, U))};
    return srn_emit(g, SRN_OP_conv1d, 2, in, NULL);
}

/* False and an error: out of memory, or a mistake in here. */
static inline bool every_layer_new(every_layer *e, srn_dtype dtype, srn_error *err) {
    srn_graph *g = e->graph = srn_graph_new(err);
    srn_val x = layer_input(g, dtype, f64_type(3, T, B, U));
    srn_val h0 = layer_input(g, dtype, f64_type(2, B, U, 0));
    srn_val y = gru_layer(g, dtype, lstm_layer(g, dtype, x, h0), h0);
    y = dropout_layer(g, dtype, scan_layer(g, dtype, y, h0));
    y = conv_layer(g, dtype, srn_transpose(g, y, (srn_ints){3, (int64_t[]){1, 0, 2}}));
    y = srn_matmul(g, y, layer_weight(g, dtype, U, 5), false, false);
    y = srn_cast(g, srn_emit1(g, SRN_OP_log_softmax, y), SRN_F64);
    e->outputs[0] = weigh(g, y, 3);
    srn_val inputs[EVERY_INPUTS];
    int32_t n = 0;
    for (srn_val v = 0; v < g->n_values && n < EVERY_INPUTS; v++) {
        if (srn_maker(g, v)->id == SRN_OP_input) {
            inputs[n++] = v;
        }
    }
    return n == g->n_inputs && srn_gradient(g, 1, e->outputs, NULL, n, inputs, e->outputs + 1, err);
}

#endif
