#include "support/bpf_evaluator.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace evojail::test {
namespace {

static_assert(offsetof(seccomp_data, args) == 16);

std::uint32_t load(const SystemCall& call, std::uint32_t offset) {
  seccomp_data data{};
  data.nr = static_cast<int>(call.number);
  data.arch = call.architecture;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) data.args[i] = call.arguments[i];
  if (offset % 4 != 0 || offset > sizeof(data) - 4)
    throw std::runtime_error("load outside the data");
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof(word));
  return word;
}

bool jumps(std::uint16_t code, std::uint32_t accumulator, std::uint32_t operand) {
  switch (code) {
    case BPF_JMP | BPF_JEQ | BPF_K:
      return accumulator == operand;
    case BPF_JMP | BPF_JGE | BPF_K:
      return accumulator >= operand;
    case BPF_JMP | BPF_JGT | BPF_K:
      return accumulator > operand;
    case BPF_JMP | BPF_JSET | BPF_K:
      return (accumulator & operand) != 0;
    default:
      throw std::runtime_error("an instruction that no filter of ours has");
  }
}

struct Outcome {
  std::uint32_t answer;
  unsigned instructions;
};

Outcome run(const Filter& filter, const SystemCall& call) {
  std::uint32_t accumulator = 0;
  unsigned executed = 0;
  for (std::size_t at = 0; at < filter.program.size(); ++at) {
    const FilterInstruction& instruction = filter.program[at];
    ++executed;
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        accumulator = load(call, instruction.operand);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= instruction.operand;
        break;
      case BPF_RET | BPF_K:
        return {instruction.operand, executed};
      case BPF_JMP | BPF_JA:
        at += instruction.operand;
        break;
      default:
        at += jumps(instruction.code, accumulator, instruction.operand) ? instruction.jump_true
                                                                        : instruction.jump_false;
    }
  }
  throw std::runtime_error("the program ends without an answer");
}

}  // namespace

std::uint32_t evaluate(const Filter& filter, const SystemCall& call) {
  return run(filter, call).answer;
}

unsigned count_instructions(const Filter& filter, const SystemCall& call) {
  return run(filter, call).instructions;
}

}  // namespace evojail::test
