// Code of the attacker's own making, other processor interfaces, and memory tricks.

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "probe.hpp"

#ifdef __x86_64__
#include <asm/ldt.h>
#endif

namespace evojail::attack {
namespace {

constexpr std::size_t kPage = 4096;

Outcome map_writable_and_executable() {
  return ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED
             ? errno
             : 0;
}

Outcome make_executable() {
  void* const page =
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return outcome_of(::mprotect(page, kPage, PROT_READ | PROT_EXEC));
}

Outcome make_executable_by_key() {
  void* const page =
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return outcome_of(::syscall(SYS_pkey_mprotect, page, kPage, PROT_READ | PROT_EXEC, -1));
}

Outcome map_pushed_file() {
  const int fd = make_file("code");
  if (fd < 0) return errno;
  return ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? errno
                                                                                         : 0;
}

// A function that returns 42.
#ifdef __x86_64__
constexpr unsigned char kCode[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov eax, 42; ret
#else
constexpr unsigned char kCode[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif

Outcome call(void* page) {
  __builtin___clear_cache(static_cast<char*>(page), static_cast<char*>(page) + sizeof kCode);
  return reinterpret_cast<int (*)()>(page)() == 42 ? 0 : EFAULT;
}

/// What is executable and not writable is written to all the same, by the kernel's hand.
Outcome write_through_proc() {
  const int program = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  void* const page = ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, program, 0);
  if (page == MAP_FAILED) return errno;
  const int memory = ::open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  if (memory < 0) return errno;
  if (::pwrite(memory, kCode, sizeof kCode, reinterpret_cast<off_t>(page)) < 0) return errno;
  return call(page);
}

/// Executable here, writable in a child: no process ever has it both ways.
Outcome write_in_child() {
  void* const page =
      ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::mprotect(page, kPage, PROT_READ | PROT_WRITE) != 0) ::_exit(errno);
    std::memcpy(page, kCode, sizeof kCode);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return EINTR;
  return WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : call(page);
}

/// The same pages mapped once more.
Outcome write_in_second_mapping() {
  void* const page =
      ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  void* const second = ::mremap(page, 0, kPage, MREMAP_MAYMOVE);
  if (second == MAP_FAILED) return errno;
  if (::mprotect(second, kPage, PROT_READ | PROT_WRITE) != 0) return errno;
  std::memcpy(second, kCode, sizeof kCode);
  return call(page);
}

Outcome run_from_memory() {
  const int program = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int memory = static_cast<int>(::syscall(SYS_memfd_create, "x", MFD_CLOEXEC));
  if (memory < 0) return errno;
  char buffer[1 << 16];
  ssize_t length = 0;
  while ((length = ::read(program, buffer, sizeof buffer)) > 0) {
    if (::write(memory, buffer, static_cast<std::size_t>(length)) != length) return errno;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    char name[] = "atk";
    char word[] = "list";
    char* const arguments[] = {name, word, nullptr};
    ::dup2(::open("/dev/null", O_WRONLY), 1);
    ::syscall(SYS_execveat, memory, "", arguments, nullptr, AT_EMPTY_PATH);
    ::_exit(errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

Outcome user_faults() {
  return outcome_of_fd(::syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
}

Outcome secret_memory() { return outcome_of_fd(::syscall(SYS_memfd_secret, 0)); }

Outcome shared_memory() {
  const int id = ::shmget(IPC_PRIVATE, kPage, 0600);
  if (id < 0) return errno;
  return outcome_of(::shmctl(id, IPC_RMID, nullptr));
}

Outcome message_queue() {
  const int id = ::msgget(IPC_PRIVATE, 0600);
  if (id < 0) return errno;
  return outcome_of(::msgctl(id, IPC_RMID, nullptr));
}

Outcome semaphores() {
  const int id = ::semget(IPC_PRIVATE, 1, 0600);
  if (id < 0) return errno;
  return outcome_of(::semctl(id, 0, IPC_RMID));
}

Outcome posix_queue() {
  const long fd = ::syscall(SYS_mq_open, "evojail-attack", O_RDWR | O_CREAT, 0600, nullptr);
  if (fd >= 0) ::syscall(SYS_mq_unlink, "evojail-attack");
  return outcome_of_fd(fd);
}

Outcome personality_without_randomness() {
  return outcome_of(::syscall(SYS_personality, ADDR_NO_RANDOMIZE));
}

Outcome personality_of_another_system() { return outcome_of(::syscall(SYS_personality, PER_SVR4)); }

#ifdef __x86_64__

/// getpid(2) through the gate of 32-bit programs, whose numbers and filter rules are others.
Outcome old_gate() {
  int result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result == ::getpid() ? 0 : ENOSYS;
}

Outcome x32() {
  constexpr long x32_bit = 0x4000'0000;
  return outcome_of(::syscall(x32_bit | SYS_getpid));
}

Outcome local_descriptor_table() {
  user_desc entry{};
  entry.entry_number = 0;
  entry.limit = 1;
  return outcome_of(::syscall(SYS_modify_ldt, 1, &entry, sizeof entry));
}

Outcome ports() { return outcome_of(::syscall(SYS_ioperm, 0x80, 1, 1)); }

Outcome port_level() { return outcome_of(::syscall(SYS_iopl, 3)); }

#else

Outcome old_gate() { return kAbsent; }
Outcome x32() { return kAbsent; }
Outcome local_descriptor_table() { return kAbsent; }
Outcome ports() { return kAbsent; }
Outcome port_level() { return kAbsent; }

#endif

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"code-writable", kSession, map_writable_and_executable},
    {"code-mprotect", kSession, make_executable},
    {"code-pkey", kSession, make_executable_by_key},
    {"code-file", kSession, map_pushed_file},
    {"code-proc", kSession, write_through_proc},
    {"code-child", kSession, write_in_child},
    {"code-mapped-twice", kSession, write_in_second_mapping},
    {"code-memfd", kSession, run_from_memory},
    {"userfaultfd", kSession, user_faults},
    {"memfd-secret", kSession, secret_memory},
    {"ipc-memory", kSession, shared_memory},
    {"ipc-messages", kSession, message_queue},
    {"ipc-semaphores", kSession, semaphores},
    {"ipc-posix-queue", kSession, posix_queue},
    {"personality-randomness", kSession, personality_without_randomness},
    {"personality-system", kSession, personality_of_another_system},
    {"abi-int80", kSession, old_gate},
    {"abi-x32", kSession, x32},
    {"modify-ldt", kSession, local_descriptor_table},
    {"ioperm", kSession, ports},
    {"iopl", kSession, port_level},
};

}  // namespace

std::span<const Probe> memory_probes() { return kProbes; }

}  // namespace evojail::attack
