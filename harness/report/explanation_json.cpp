#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/report/arguments.hpp"
#include "harness/report/explanation_text.hpp"

namespace callgate::report {
namespace {

using nlohmann::ordered_json;
using verifier::Ending;
using verifier::Field;
using verifier::ValueRange;
using Ref = verifier::Space::Ref;

constexpr std::size_t kMost = 100;  // ranges or masks of a field

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

ordered_json json_of(const std::optional<std::vector<ValueRange>>& ranges) {
  if (!ranges) return nullptr;
  ordered_json out = ordered_json::array();
  for (const ValueRange& each : *ranges) {
    out.push_back({{"first", hex(each.first)}, {"last", hex(each.last)}});
  }
  return out;
}

class Writer {
 public:
  explicit Writer(const Explained& of) : of_(of) {}

  ordered_json abi(const ExplainedAbi& abi) {
    ordered_json out{{"name", abi.name}};
    out["abi"] = abi.arch ? ordered_json(info(*abi.arch).name) : ordered_json();
    out["token"] = abi.arch ? ordered_json(hex(info(*abi.arch).token)) : ordered_json();
    out["whole"] = !abi.cut;
    out["usual"] = abi.usual ? verdict(*abi.usual) : ordered_json();
    out["classes"] = ordered_json::array();
    for (const CallGroup& group : abi.groups) out["classes"].push_back(json_of(group, abi));
    return out;
  }

 private:
  ordered_json verdict(Ref end) {
    const Ending& ending = of_.endings.at(end);
    const auto value = ending.kind == Ending::Kind::Value
                           ? of_.endings.space().terms().value(ending.value)
                           : std::nullopt;
    ordered_json out;
    out["value"] = value ? ordered_json(fmt::format("0x{:08x}", *value)) : ordered_json();
    out["verdict"] = ending_words(of_.endings, ending, of_.model);
    out["filter"] = ending.filter ? ordered_json(*ending.filter) : ordered_json();
    return out;
  }

  ordered_json json_of(const CallGroup& group, const ExplainedAbi& abi) {
    ordered_json out{{"syscalls", group.syscalls},
                     {"unnamed_numbers", report::json_of(group.unnamed)},
                     {"rules", ordered_json::array()}};
    const CallView view{abi.arch.value_or(Arch::X86_64), group.named_for};
    for (const ExplainedRule& rule : group.rules) {
      ordered_json row{{"when", rule.when.text}, {"fields", ordered_json::array()}};
      for (const auto& [field, values] : rule.path->values) {
        row["fields"].push_back(json_of(field, values, view));
      }
      row["comparisons"] = ordered_json::array();
      for (const auto& [variable, holds] : rule.path->opaques) {
        row["comparisons"].push_back(opaque_words(of_.endings.space(), variable, holds, view));
      }
      row.update(verdict(rule.end));
      out["rules"].push_back(std::move(row));
    }
    out["otherwise"] = group.otherwise ? verdict(*group.otherwise) : ordered_json();
    out["possible"] = ordered_json::array();
    for (const Ref end : group.ends) out["possible"].push_back(verdict(end));
    return out;
  }

  ordered_json json_of(Field field, Ref values, const CallView& view) {
    verifier::Space& space = of_.endings.space();
    const bool argument = field >= Field::Arg0 && field <= Field::Arg5;
    const auto index = static_cast<unsigned>(field) - static_cast<unsigned>(Field::Arg0);
    ordered_json out{{"field", argument ? fmt::format("arg{}", index) : "instruction_pointer"}};
    out["name"] = argument ? argument_words(view.call, index, view.arch).name : "";
    out["words"] = field_words(space, field, values, view).text;
    out["ranges"] = report::json_of(verifier::ranges_of(space, values, field, kMost));
    const auto masks = verifier::masks_of(space, values, field, kMost);
    out["masks"] = masks ? ordered_json::array() : ordered_json();
    if (masks) {
      for (const auto& each : *masks) {
        out["masks"].push_back({{"mask", hex(each.mask)}, {"value", hex(each.value)}});
      }
    }
    return out;
  }

  const Explained& of_;
};

}  // namespace

std::string explanation_json(const Explained& of) {
  ordered_json document{{"callgate", 1},
                        {"kernel", callgate::to_string(of.model.version)},
                        {"arch", info(of.model.arch).name},
                        {"filters", of.files},
                        {"whole", of.explanation.left_out.empty()},
                        {"left_out", of.explanation.left_out},
                        {"abis", ordered_json::array()}};
  Writer writer(of);
  for (const ExplainedAbi& abi : of.explanation.abis) document["abis"].push_back(writer.abi(abi));
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace callgate::report
