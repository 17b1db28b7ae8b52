/* Workspaces that wait for the next run of their plan.
 *
 * A plan keeps a few, and all plans of the process together SRN_SPARE_BYTES: beyond that the one
 * used least recently is given back to the system, except the very last. All of it under the GIL.
 */
#ifndef SRN_PY_SPARES_H
#define SRN_PY_SPARES_H

#include "run/run.h"

#define SRN_SPARE_BYTES ((size_t)128 << 20)
#define SRN_MAX_SPARES 4 /* of a plan */

typedef struct srn_spare srn_spare;

typedef struct srn_spares { /* of one plan; zeros at first */
    srn_spare *kept[SRN_MAX_SPARES];
    int n;
} srn_spares;

/* The one kept last, which is the caller's now; NULL if there is none. */
srn_workspace *srn_spares_take(srn_spares *spares);
/* Keeps ws, or drops it; NULL is fine. */
void srn_spares_give(srn_spares *spares, srn_workspace *ws);
/* The one kept last, to look at. */
const srn_workspace *srn_spares_last(const srn_spares *spares);
void srn_spares_drop(srn_spares *spares);
/* Those of all plans. */
void srn_spares_drop_all(void);

#endif
