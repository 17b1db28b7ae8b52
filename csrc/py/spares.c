#include "py/spares.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

struct srn_spare {
    srn_workspace *ws;
    srn_spares *owner;
    size_t bytes;
    srn_spare *newer, *older;
};

static struct { /* of the process, as the GIL is */
    srn_spare *newest, *oldest;
    size_t bytes;
} all;

/* Out of both lists; the record is freed, the workspace is the caller's. */
static srn_workspace *detach(srn_spare *spare) {
    srn_spares *owner = spare->owner;
    int place = 0;
    while (owner->kept[place] != spare) {
        place++;
    }
    for (owner->n--; place < owner->n; place++) {
        owner->kept[place] = owner->kept[place + 1];
    }
    *(spare->newer == NULL ? &all.newest : &spare->newer->older) = spare->older;
    *(spare->older == NULL ? &all.oldest : &spare->older->newer) = spare->newer;
    all.bytes -= spare->bytes;
    srn_workspace *ws = spare->ws;
    free(spare);
    return ws;
}

srn_workspace *srn_spares_take(srn_spares *spares) {
    return spares->n == 0 ? NULL : detach(spares->kept[spares->n - 1]);
}

const srn_workspace *srn_spares_last(const srn_spares *spares) {
    return spares->n == 0 ? NULL : spares->kept[spares->n - 1]->ws;
}

void srn_spares_give(srn_spares *spares, srn_workspace *ws) {
    srn_spare *spare = ws == NULL || spares->n == SRN_MAX_SPARES ? NULL : malloc(sizeof(srn_spare));
    if (spare == NULL) {
        srn_workspace_drop(ws);
        return;
    }
    *spare = (srn_spare){ws, spares, srn_workspace_bytes(ws), NULL, all.newest};
    *(all.newest == NULL ? &all.oldest : &all.newest->newer) = spare;
    all.newest = spare;
    all.bytes += spare->bytes;
    spares->kept[spares->n++] = spare;
    while (all.bytes > SRN_SPARE_BYTES && all.oldest != all.newest) {
        srn_workspace_drop(detach(all.oldest));
    }
}

void srn_spares_drop(srn_spares *spares) {
    while (spares->n > 0) {
        srn_workspace_drop(srn_spares_take(spares));
    }
}

void srn_spares_drop_all(void) {
    while (all.oldest != NULL) {
        srn_workspace_drop(detach(all.oldest));
    }
#ifdef __GLIBC__
    malloc_trim(0); /* else pages between blocks in use stay with the process */
#endif
}
