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
  // An error without a hint says all that there is to say of its cause.
  return missing(std::move(subject), error.message(),
                 error.hint().empty() ? "mend what it names" : error.hint());
}

}  // namespace evojail
