// Room and user identifiers as types of their own, so that one is never passed for the other.
#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace fluentgate {

template <class Tag>
struct Id {
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}
  explicit Id(std::string_view text) : value(text) {}
  explicit Id(const char* text) : value(text) {}
  bool empty() const noexcept { return value.empty(); }
  auto operator<=>(const Id&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Id& id) { return out << id.value; }
};

using RoomId = Id<struct RoomTag>;
using UserId = Id<struct UserTag>;

// Looks ids up by string_view without making a string.
struct IdHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  template <class Tag>
  std::size_t operator()(const Id<Tag>& id) const noexcept { return (*this)(std::string_view(id.value)); }
};
struct IdEqual {
  using is_transparent = void;
  static std::string_view view(std::string_view text) noexcept { return text; }
  template <class Tag>
  static std::string_view view(const Id<Tag>& id) noexcept { return id.value; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept { return view(a) == view(b); }
};

// CONTRACT 1: 1 to 128 of A-Z a-z 0-9 . _ ~ : - after percent-decoding, not "." nor "..".
bool valid_room_id(std::string_view text) noexcept;

}  // namespace fluentgate
