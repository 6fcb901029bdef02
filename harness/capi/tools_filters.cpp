// Filters of every form, and stacks of them.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/capi/tools.hpp"
#include "harness/filters/acceptance.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/process/manifest.hpp"
#include "harness/suite/target.hpp"

namespace callgate::capi {
namespace {

Version version_of(const char* kernel) {
  const auto version = parse_version(kernel);
  if (!version) {
    fail(EINVAL, joined(kernel, ": not a version; write it as 5.10 or 6.12.3"));
  }
  return *version;
}

front_ends::LoadOptions load_options(const callgate_load_options* given) {
  const callgate_load_options options = options_of(given);
  const auto text = [](const char* words) { return std::string(words == nullptr ? "" : words); };
  suite::Deploy deploy;
  deploy.format = text(options.input_format);
  deploy.caps = text(options.caps);
  if (options.runtime != nullptr) deploy.runtime = options.runtime;
  deploy.systemd = text(options.systemd);
  deploy.denylist = options.denylist != 0;
  if (deploy.runtime != "runc" && deploy.runtime != "runc-1.1" && deploy.runtime != "crun") {
    fail(EINVAL, deploy.runtime + ": the runtime is runc, runc-1.1 or crun");
  }
  KernelModel model;
  model.arch = arch_of(options.arch);
  if (options.kernel != nullptr) model.version = version_of(options.kernel);
  auto out = suite::load_options(deploy, model);
  if (!out) fail(EINVAL, std::move(out.error()));
  return std::move(*out);
}

std::unique_ptr<const std::string> kept(std::string text) {
  return std::make_unique<const std::string>(std::move(text));
}

std::vector<callgate_instruction> plain(const Program& program) {
  std::vector<callgate_instruction> out;
  out.reserve(program.size());
  for (const Instruction& i : program) out.push_back({i.code, i.jt, i.jf, i.k});
  return out;
}

std::unique_ptr<callgate_filters> handle_of(filters::ReadFilters read, const std::string& shown) {
  auto out = std::make_unique<callgate_filters>();
  out->format = std::move(read.format);
  std::string notes;
  for (const front_ends::Note& note : read.notes) notes += filters::note_words(shown, note) + '\n';
  out->notes.push_back(kept(std::move(notes)));
  for (const filters::FilterFile& file : read.filters) {
    out->names.push_back(kept(file.path));
    out->programs.push_back(plain(file.program));
  }
  out->files = std::move(read.filters);
  return out;
}

// All of what is added is there before anything changes.
void append(callgate_filters& filters, const callgate_filters& newer) {
  std::vector<filters::FilterFile> files = newer.files;
  std::vector<std::vector<callgate_instruction>> programs = newer.programs;
  std::vector<std::string> sources = newer.sources;
  std::vector<std::unique_ptr<const std::string>> names;
  for (const auto& each : newer.names) names.push_back(kept(*each));
  auto notes = kept(*filters.notes.back() + *newer.notes.back());
  filters.files.reserve(filters.files.size() + files.size());
  filters.programs.reserve(filters.programs.size() + programs.size());
  filters.sources.reserve(filters.sources.size() + sources.size());
  filters.names.reserve(filters.names.size() + names.size());
  filters.notes.reserve(filters.notes.size() + 1);
  std::ranges::move(files, std::back_inserter(filters.files));
  std::ranges::move(programs, std::back_inserter(filters.programs));
  std::ranges::move(sources, std::back_inserter(filters.sources));
  std::ranges::move(names, std::back_inserter(filters.names));
  filters.notes.push_back(std::move(notes));
  filters.nameless = filters.nameless || newer.nameless;
}

}  // namespace

Settings settings_of(const callgate_options* given) {
  Settings settings;
  const int error = read_settings(given, settings);
  if (error == 0) return settings;
  // Which of them it is.
  const callgate_options options = options_of(given);
  if (error == ENOTSUP) {
    fail(error, joined(options.engine, ": not an engine; there are: ", engine_names()));
  }
  if (options.kernel != nullptr) static_cast<void>(version_of(options.kernel));
  static_cast<void>(arch_of(options.arch));
  fail(error, "the options cannot be read");
}

Arch arch_of(const char* name) {
  if (name == nullptr) return Arch::X86_64;
  const auto arch = arch_from_name(name);
  if (!arch) fail(EINVAL, joined(name, ": not an architecture"));
  return *arch;
}

int file_error(const std::string& path) noexcept try {
  struct stat status{};
  std::string file = path;
  if (stat(file.c_str(), &status) != 0) {
    // FILE#NAME
    file.resize(std::min(file.rfind('#'), file.size()));
    if (stat(file.c_str(), &status) != 0) return errno;
  }
  if (S_ISDIR(status.st_mode)) return process::is_manifest(path) ? EINVAL : EISDIR;
  if (!S_ISREG(status.st_mode)) return euidaccess(file.c_str(), R_OK) == 0 ? EINVAL : errno;
  // Where it can be read, its content is what is wrong.
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  char byte = 0;
  const bool readable = fd >= 0 && read(fd, &byte, 1) >= 0;
  const int error = readable ? EINVAL : errno;
  if (fd >= 0) close(fd);
  return error;
} catch (const std::exception&) {
  return EINVAL;
}

FilterStack stack_of(const callgate_filters& filters, const Settings& settings) {
  auto stack = filters::stack_of(filters.files, settings.model, *settings.engine);
  if (stack) return std::move(*stack);
  const filters::Refusal& refusal = stack.error();
  std::string lines =
      filters::refusal_lines(filters.files[refusal.file].path, settings.model, refusal.diagnostics);
  while (lines.ends_with('\n')) lines.pop_back();
  fail(EACCES, std::move(lines));
}

}  // namespace callgate::capi

namespace capi = callgate::capi;

int callgate_filters_load(const char* path, const callgate_load_options* options,
                          callgate_filters** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    capi::need(path, "path");
    const auto load = capi::load_options(options);
    // The command would read its standard input.
    const std::string file = std::string_view(path) == "-" ? "./-" : path;
    auto read = callgate::filters::read_filters(file, load);
    if (!read) capi::fail(capi::file_error(file), std::move(read.error()));
    auto made = capi::handle_of(std::move(*read), file);
    made->sources.push_back(file);
    *out = made.release();
  });
}

int callgate_filters_read(const void* bytes, size_t length, const char* name,
                          const callgate_load_options* options, callgate_filters** out,
                          char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    if (length != 0) capi::need(bytes, "bytes");
    const auto load = capi::load_options(options);
    if (length > callgate::front_ends::kMaxFileSize) {
      capi::fail(EINVAL,
                 capi::joined("longer than ", callgate::front_ends::kMaxFileSize, " bytes"));
    }
    const std::string_view text = length == 0
                                      ? std::string_view()
                                      : std::string_view(static_cast<const char*>(bytes), length);
    const std::string shown = name == nullptr ? "" : name;
    auto read = callgate::filters::read_bytes(text, shown, load);
    if (!read) capi::fail(EINVAL, std::move(read.error()));
    auto made = capi::handle_of(std::move(*read), shown.empty() ? "the bytes" : shown);
    if (shown.empty()) {
      made->nameless = true;
    } else {
      made->sources.push_back(shown);
    }
    *out = made.release();
  });
}

int callgate_filters_append(callgate_filters* filters, const callgate_filters* newer) {
  return capi::guarded(nullptr, [&] {
    capi::need(filters, "filters");
    capi::need(newer, "newer");
    capi::append(*filters, *newer);
  });
}

void callgate_filters_destroy(callgate_filters* filters) { delete filters; }

size_t callgate_filters_count(const callgate_filters* filters) {
  return filters == nullptr ? 0 : filters->files.size();
}

const char* callgate_filters_format(const callgate_filters* filters) {
  return filters == nullptr ? nullptr : filters->format.c_str();
}

const char* callgate_filters_notes(const callgate_filters* filters) {
  return filters == nullptr ? nullptr : filters->notes.back()->c_str();
}

const callgate_instruction* callgate_filters_program(const callgate_filters* filters, size_t index,
                                                     size_t* length) {
  const bool there = index < callgate_filters_count(filters);
  if (length != nullptr) *length = there ? filters->programs[index].size() : 0;
  return there ? filters->programs[index].data() : nullptr;
}

const char* callgate_filters_name(const callgate_filters* filters, size_t index) {
  return index < callgate_filters_count(filters) ? filters->names[index]->c_str() : nullptr;
}

int callgate_check(const callgate_filters* filters, const callgate_options* options, int* accepted,
                   char** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    if (accepted != nullptr) *accepted = 0;
    capi::need(filters, "filters");
    const capi::Settings settings = capi::settings_of(options);
    const auto all = callgate::filters::acceptances_of(filters->files, settings.model);
    capi::give(out, callgate::filters::acceptance_json(filters->files, all, settings.model));
    if (accepted == nullptr) return;
    *accepted = std::ranges::all_of(all, [](const auto& each) { return each.accepted.has_value(); })
                    ? 1
                    : 0;
  });
}

int callgate_stack_of(const callgate_filters* filters, const callgate_options* options,
                      callgate_stack** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    capi::need(filters, "filters");
    const capi::Settings settings = capi::settings_of(options);
    *out = new callgate_stack{settings.engine, capi::stack_of(*filters, settings)};
  });
}
