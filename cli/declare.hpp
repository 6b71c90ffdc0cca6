#pragma once

#include "cli/command.hpp"

namespace evojail {

// One a command, in commands/NAME.cpp; the table in commands.cpp names them all.
[[nodiscard]] Action declare_archive(Arguments& arguments);
[[nodiscard]] Action declare_check_setup(Arguments& arguments);
[[nodiscard]] Action declare_firewall(Arguments& arguments);
[[nodiscard]] Action declare_freeze(Arguments& arguments);
[[nodiscard]] Action declare_inc(Arguments& arguments);
[[nodiscard]] Action declare_inc_hold(Arguments& arguments);
[[nodiscard]] Action declare_inc_lock(Arguments& arguments);
[[nodiscard]] Action declare_inc_release(Arguments& arguments);
[[nodiscard]] Action declare_inc_unlock(Arguments& arguments);
[[nodiscard]] Action declare_init(Arguments& arguments);
[[nodiscard]] Action declare_ip(Arguments& arguments);
[[nodiscard]] Action declare_is_on(Arguments& arguments);
[[nodiscard]] Action declare_key(Arguments& arguments);
[[nodiscard]] Action declare_list(Arguments& arguments);
[[nodiscard]] Action declare_list_incs(Arguments& arguments);
[[nodiscard]] Action declare_port(Arguments& arguments);
[[nodiscard]] Action declare_profile(Arguments& arguments);
[[nodiscard]] Action declare_reload(Arguments& arguments);
[[nodiscard]] Action declare_remove(Arguments& arguments);
[[nodiscard]] Action declare_rename(Arguments& arguments);
[[nodiscard]] Action declare_restart(Arguments& arguments);
[[nodiscard]] Action declare_rm(Arguments& arguments);
[[nodiscard]] Action declare_run(Arguments& arguments);
[[nodiscard]] Action declare_start(Arguments& arguments);
[[nodiscard]] Action declare_status(Arguments& arguments);
[[nodiscard]] Action declare_stop(Arguments& arguments);
[[nodiscard]] Action declare_update(Arguments& arguments);
[[nodiscard]] Action declare_verify(Arguments& arguments);

}  // namespace evojail
