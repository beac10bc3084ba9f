// TEST, CHECK and CHECK_EQ over cmocka. cmocka's own asserts longjmp out of a test and would skip C++ destructors, so a failed
// CHECK throws, the test unwinds, and only then is cmocka told. Include this, never cmocka.h.
#pragma once

#include <exception>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace fluentgate::test {

struct Failure : std::exception {
  explicit Failure(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }
 private:
  std::string text_;
};

// Adds a test to the program's list; made by TEST.
struct Registration {
  Registration(const char* name, void (*body)());
};

template <class T>
std::string shown(const T& value) {
  if constexpr (requires(std::ostream& out) { out << value; }) {
    std::ostringstream out;
    out << value;
    return out.str();
  } else if constexpr (requires { value.has_value(); *value; }) {
    return value.has_value() ? shown(*value) : std::string("(none)");
  } else if constexpr (requires { static_cast<long long>(value); }) {
    return std::to_string(static_cast<long long>(value));
  } else {
    return "(value)";
  }
}

[[noreturn]] inline void fail(const char* file, int line, const std::string& text) {
  throw Failure(std::string(file) + ":" + std::to_string(line) + ": " + text);
}

template <class A, class B>
void check_equal(const A& left, const B& right, const char* expression, const char* file, int line) {
  if (!(left == right)) fail(file, line, std::string(expression) + "\n    left:  " + shown(left) + "\n    right: " + shown(right));
}

}  // namespace fluentgate::test

#define TEST(name)                                                        \
  static void name();                                                     \
  static const ::fluentgate::test::Registration name##_registered{#name, name}; \
  static void name()
#define CHECK(condition) \
  do { if (!(condition)) ::fluentgate::test::fail(__FILE__, __LINE__, "CHECK(" #condition ")"); } while (false)
#define CHECK_EQ(left, right) ::fluentgate::test::check_equal((left), (right), "CHECK_EQ(" #left ", " #right ")", __FILE__, __LINE__)
#define FAIL(text) ::fluentgate::test::fail(__FILE__, __LINE__, (text))
