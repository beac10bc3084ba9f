// The version of this build, from CMake's project().
#pragma once

#include <string_view>

namespace fluentgate::gateway {

inline constexpr std::string_view version_text = FLUENTGATE_VERSION;

}  // namespace fluentgate::gateway
