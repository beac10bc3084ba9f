// A port of 127.0.0.1 that nobody has at the moment, for programs that can't choose one themselves. Another may take it meanwhile. Thread: any.
#pragma once

namespace fluentgate::test {

int free_port();

}  // namespace fluentgate::test
