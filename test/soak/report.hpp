// The end of a run on paper. Thread: any.
#pragma once

#include <string>

#include "test/soak/director.hpp"
#include "test/soak/stage.hpp"

namespace fluentgate::soak {

std::string report(const Stage& stage, const Director& director, const EchoWorker& worker);

}  // namespace fluentgate::soak
