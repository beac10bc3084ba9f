// fluentgate-host: the command line and the exit codes (CONTRACT 7). Everything else is in host.cpp and in the plugin.
#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <net/if.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "core/auth/key_set.hpp"
#include "core/config/loader.hpp"
#include "core/config/option_pages.hpp"
#include "core/kafka/client_conf.hpp"
#include "core/log/logger.hpp"
#include "plugin/host/host.hpp"
#include "plugin/lws/system_clock.hpp"

namespace fluentgate::host {
namespace {

constexpr int wrong_usage = 2;

struct CommandLine {
  HostOptions host;
  bool check = false, print_options = false;
};

// Nothing: go on. Else the exit code.
std::optional<int> read(int argc, char** argv, CommandLine& out) {
  CLI::App app{"fluentgate-host: serves the fluentgate plugin on libwebsockets"};
  std::vector<std::string> set;
  app.add_option("--config", out.host.config_file, "configuration file (TOML)")->type_name("FILE");
  app.add_option("--set", set, "one option; wins over the file; repeatable")->type_name("OPTION=VALUE")->expected(1)->take_all()->allow_extra_args(false);
  app.add_option("--plugin-dir", out.host.plugin_folder, "folder of libprotocol_fluentgate.so")->type_name("DIR");
  app.add_flag("--check", out.check, "say what is wrong with the configuration, and exit");
  app.add_flag("--print-options", out.print_options, "print every option with its default, and exit");
  app.set_version_flag("--version", "fluentgate-host " FLUENTGATE_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : wrong_usage;
  }
  for (const std::string& text : set) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      std::fprintf(stderr, "--set: must be OPTION=VALUE\n");  // what was given may be a secret
      return wrong_usage;
    }
    out.host.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return std::nullopt;
}

Result<config::Settings> load(const HostOptions& options) {
  config::Loader loader;
  if (!options.config_file.empty()) loader.add_file(options.config_file);
  for (const auto& [name, value] : options.set) loader.add_option(name, value);
  return loader.finish();
}

// What lws can listen on: an address, or the name of an interface.
bool can_be_listened_on(const std::string& address) {
  in6_addr bytes{};
  return inet_pton(AF_INET, address.c_str(), &bytes) == 1 || inet_pton(AF_INET6, address.c_str(), &bytes) == 1 || if_nametoindex(address.c_str()) != 0;
}

// Why log.file could not be appended to; empty: it can. Nothing is made: --check leaves no file behind.
std::string log_file_error(const std::string& file) {
  std::error_code error;
  const std::filesystem::path path(file);
  if (std::filesystem::is_directory(path, error)) return "is a directory";
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const bool exists = std::filesystem::exists(path, error);
  return access(exists ? path.c_str() : folder.c_str(), W_OK) == 0 ? "" : std::generic_category().message(errno);
}

// Every error that can be known without serving, a line each.
std::string errors_beyond_options(const config::Settings& settings) {
  std::string text;
  if (!can_be_listened_on(settings.listen.address)) {
    text += "listen.address = \"" + settings.listen.address + "\": allowed is an IP address, or the name of a network interface of this machine\n";
  }
  if (!settings.log.file.empty()) {
    if (const std::string why = log_file_error(settings.log.file); !why.empty()) {
      text += "log.file = \"" + settings.log.file + "\": must be a file that can be appended to (" + why + ")\n";
    }
  }
  for (const std::string& error : tls_errors(settings.listen)) text += error + "\n";
  if (const auto keys = auth::KeySet::load(settings.auth); !keys.ok()) text += keys.error().text + "\n";
  if (const Status properties = kafka::check_properties(settings.kafka); !properties) text += properties.error().text + "\n";
  return text;
}

int run(int argc, char** argv) {
  CommandLine line;
  if (const auto code = read(argc, argv, line)) return *code;
  if (line.print_options) {
    std::fputs(config::print_options().c_str(), stdout);
    return 0;
  }
  const auto settings = load(line.host);
  if (!settings) {
    std::fprintf(stderr, "%s\n", settings.error().text.c_str());
    return wrong_usage;
  }
  if (const std::string errors = errors_beyond_options(*settings); !errors.empty()) {
    std::fputs(errors.c_str(), stderr);
    return wrong_usage;
  }
  if (line.check) return 0;

  line.host.supervised = supervised();
  Signals signals;
  const lws_plugin::SystemClock clock;
  auto logger = logging::LineLogger::open({settings->log.file, logging::parse_level(settings->log.level).value_or(LogLevel::info),
                                           settings->log.format == config::LogFormat::json ? logging::Format::json : logging::Format::text},
                                          clock);
  if (!logger) {
    std::fprintf(stderr, "%s\n", logger.error().text.c_str());
    return wrong_usage;
  }
  if (settings->listen.processes > 1 && !line.host.supervised) return supervise(argv, *settings, **logger, signals);
  return serve(line.host, *settings, **logger, signals);
}

}  // namespace
}  // namespace fluentgate::host

int main(int argc, char** argv) {
  try {
    return fluentgate::host::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fluentgate-host: %s\n", error.what());
    return 1;
  }
}
