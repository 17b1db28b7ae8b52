/* What a run takes, known before anything is allocated. */
#ifndef SRN_RUN_NEED_H
#define SRN_RUN_NEED_H

#include "compile/plan.h"

/* Bytes of the workspace that srn_workspace_new would make for this number of threads:
 * srn_workspace_bytes of it. */
size_t srn_workspace_need(const srn_plan *plan, int threads);

#endif
