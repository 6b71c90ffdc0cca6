#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace evojail {

/// Values as bytes, for another process on the same machine that was built alike.
class Packer {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(const std::string& text) { put_array(text.data(), text.size()); }
  template <class T>
  void put(const std::vector<T>& values) {
    put_array(values.data(), values.size());
  }

  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put_array(const T* first, std::uint64_t count) {
    put(count);
    bytes_.append(reinterpret_cast<const char*>(first), count * sizeof(T));
  }

  std::string bytes_;
};

/// Takes them out again, in the order in which they were put in.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  /// false, once and for all, where fewer bytes are left than the value needs.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  bool take(T& value) {
    if (bytes_.size() < sizeof value) return stop();
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return true;
  }
  bool take(std::string& text) { return take_array(text); }
  template <class T>
  bool take(std::vector<T>& values) {
    return take_array(values);
  }

  /// Whether everything has been taken.
  [[nodiscard]] bool done() const noexcept { return bytes_.empty() && !stopped_; }

 private:
  template <class Array>
  bool take_array(Array& values) {
    using T = typename Array::value_type;
    static_assert(std::is_trivially_copyable_v<T>);
    std::uint64_t count = 0;
    if (!take(count) || count > bytes_.size() / sizeof(T)) return stop();
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), bytes_.data(), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
    return true;
  }
  bool stop() {
    bytes_ = {};
    stopped_ = true;
    return false;
  }

  std::string_view bytes_;
  bool stopped_ = false;
};

}  // namespace evojail
