/* Every op, one word each: the enum srn_op_id and the table srn_ops[] are made from this list.
 * To add one: a word here, the `const srn_op srn_op_<word>` in csrc/ops/, an OpSpec in
 * tests/ops/specs.py. */
#define SRN_OP_LIST(X)                                                                            \
    /* leaves: ops/leaf.c */                                                                      \
    X(input) X(variable) X(constant)                                                              \
    /* elementwise: ops/unary.c */                                                                \
    X(neg) X(abs) X(sign) X(square) X(sqrt) X(rsqrt) X(reciprocal) X(exp) X(expm1) X(log)         \
    X(log1p) X(sin) X(cos) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh)      \
    X(atanh) X(cbrt) X(sigmoid) X(relu) X(erf) X(floor) X(ceil) X(round)                          \
    X(isnan) X(isfinite) X(logical_not) X(cast) X(stop_gradient)                                  \
    X(tanh_grad) X(sigmoid_grad) X(relu_grad)                                                     \
    /* elementwise: ops/binary.c */                                                               \
    X(add) X(sub) X(mul) X(div) X(pow) X(maximum) X(minimum) X(mod) X(atan2) X(hypot)             \
    X(equal) X(not_equal) X(less) X(less_equal) X(logical_and) X(logical_or) X(where)             \
    /* ops/reduce.c */                                                                            \
    X(sum) X(max) X(min) X(prod) X(argmax) X(argmin) X(cumsum)                                    \
    /* ops/sort.c */                                                                              \
    X(argsort)                                                                                    \
    /* ops/softmax.c */                                                                           \
    X(softmax) X(log_softmax)                                                                     \
    /* ops/random.c */                                                                            \
    X(random_uniform) X(random_normal) X(dropout_mask)                                            \
    /* ops/matmul.c */                                                                            \
    X(matmul)                                                                                     \
    /* ops/shape.c */                                                                             \
    X(copy) X(reshape) X(transpose) X(slice) X(unslice) X(concat) X(broadcast_to) X(pad)          \
    X(fill) X(iota)                                                                               \
    /* ops/gather.c */                                                                            \
    X(take) X(take_grad) X(pick) X(pick_grad)                                                     \
    /* ops/norm.c */                                                                              \
    X(layer_norm) X(layer_norm_grad)                                                              \
    /* ops/conv1d.c */                                                                            \
    X(conv1d) X(conv1d_dx) X(conv1d_dw)                                                           \
    /* recurrent: ops/rnn.c, lstm.c, gru.c, scan.c */                                             \
    X(rnn) X(rnn_grad) X(lstm) X(lstm_grad) X(gru) X(gru_grad) X(scan)
