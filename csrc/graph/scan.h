/* The scan node: a body graph applied once per time step. Shared by ops/scan.c (the struct and the
 * shape rule), autodiff/scan_vjp.c (its gradient), compile/ (the body's plan) and run/ (the loop).
 *
 *   inputs   states (n_state), sequences (n_seq, each (T, ...)), constants (the rest)
 *   body     inputs in that order, sequences without the leading T;
 *            outputs: new states (n_state), then n_y values
 *   outputs  final states (n_state), then each y stacked: (T, ...), then each further body value
 *            stacked: what the way back may need. Outputs nobody reads are dropped by the compiler.
 *   reverse  walks t = T-1 .. 0; stacked outputs stay at their own t.
 */
#ifndef SRN_GRAPH_SCAN_H
#define SRN_GRAPH_SCAN_H

#include "graph/graph.h"

enum {
    SRN_SCAN_BODY,
    SRN_SCAN_N_STATE,
    SRN_SCAN_N_SEQ,
    SRN_SCAN_OUTPUTS,
    SRN_SCAN_REVERSE,
    SRN_SCAN_LENGTH
};

/* Emits a scan, with what depends on sequences alone hoisted before the loop. `outputs` are values
 * of `body`: the new states, then the ys (n_out of them in all). The body is cloned. Returns the
 * first output; ys and extras follow the states. */
srn_val srn_emit_scan(srn_graph *g, const srn_graph *body, int64_t length, int32_t n_state,
                      int32_t n_seq, int32_t n_in, const srn_val *in, int32_t n_out,
                      const srn_val *outputs, bool reverse);

/* The inputs of the loop against the inputs of the body; ops/scan.c. */
bool srn_scan_check(srn_graph *g, const srn_graph *body, int64_t length, int32_t n_state,
                    int32_t n_seq, const srn_val *in, const srn_val *outputs);

void srn_scan_vjp(srn_vjp *x); /* autodiff/scan_vjp.c */

#endif
