// evojail-init: PID 1 of a jail. A program of its own, and static, so that nothing of the
// supervisor's memory is in the jail, and so that it and every session that it starts come at the
// price of a small process.

#include <unistd.h>

#include "jail/init.hpp"
#include "jail/init_descriptors.hpp"

int main() { ::_exit(evojail::run_init(evojail::init_channel)); }
