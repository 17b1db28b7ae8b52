/* The one place that drops the GIL: a run of a plan, the optimizer's step, or both in a row.
 *
 * Neither can fail, allocates, or touches a Python object. Everything they read and write is held
 * by the caller: the workspace belongs to this call alone, the variables by a tuple.
 */
#include "py/py.h"

void srn_py_work_do(const srn_py_work *work) {
    Py_BEGIN_ALLOW_THREADS
    if (work->ws != NULL) {
        srn_run(work->ws, work->seed, work->step);
    }
    if (work->optimizer != NULL) {
        srn_py_optimizer *o = work->optimizer;
        srn_optim_step(&o->config, &o->target, work->gradient, o->slot_data, work->t);
    }
    Py_END_ALLOW_THREADS
}
