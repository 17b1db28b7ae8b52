/* The memory plan: an offset in the block for every slot that lives there. */
#ifndef SRN_COMPILE_MEMORY_PLAN_H
#define SRN_COMPILE_MEMORY_PLAN_H

#include "compile/plan.h"

/* Sets the offsets of the slots, the place of the flat gradient buffer and the block's size. */
bool srn_plan_memory(srn_plan *plan, const int32_t *gradient_slots, srn_arena *arena,
                     srn_error *err);

#endif
