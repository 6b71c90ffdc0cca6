#include "monitor/finding.hpp"

#include <utility>

namespace evojail {

Finding good(std::string subject, std::string text) {
  return {std::move(subject), Finding::Level::good, std::move(text), {}};
}

Finding note(std::string subject, std::string text, std::string cure) {
  return {std::move(subject), Finding::Level::note, std::move(text), std::move(cure)};
}

Finding missing(std::string subject, std::string text, std::string cure) {
  return {std::move(subject), Finding::Level::missing, std::move(text), std::move(cure)};
}

Finding missing(std::string subject, const Error& error) {
  return missing(std::move(subject), error.message(), error.hint());
}

}  // namespace evojail
