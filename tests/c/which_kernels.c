/* Prints the set of kernels in use, for .ci/each_kernel_set. */
#include <stdio.h>

#include "base/cpu.h"

int main(void) {
    puts(srn_isa_name(srn_cpu_isa()));
    return 0;
}
