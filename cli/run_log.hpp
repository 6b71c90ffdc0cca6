#pragma once

#include <string>

#include "jail/log.hpp"

namespace evojail {

/// Where a program that stays writes what happens: lines on stderr, with the journal's level in
/// front ("<6>…", sd-daemon(3)) where stderr is the journal, else with time and name:
/// "2026-03-22T11:04:05+01:00 evojail[web1]: …".
[[nodiscard]] LogSink make_run_log(const std::string& name);

/// Whether the stream that JOURNAL_STREAM ("DEVICE:INODE", systemd.exec(5)) names is `fd`.
[[nodiscard]] bool is_journal(int fd, const char* journal_stream);

}  // namespace evojail
