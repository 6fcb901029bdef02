#pragma once

#include <asmjit/core.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vm/arithmetic.hpp"
#include "vm/jit/jit.hpp"
#include "vm/jit/plan.hpp"

namespace callgate::jit {

/// What the constant or X of an operation is.
struct Value {
  bool is_x = false;
  std::uint32_t k = 0;
};

/// Walks a plan and says to an emitter, one for each processor, what to write. Only places that
/// something jumps to have labels; returns of one constant share one.
template <typename Emitter>
class Translator {
 public:
  Translator(const Plan& plan, const KernelModel& model, asmjit::CodeHolder& code,
             std::vector<Origin>* origins)
      : plan_(plan),
        order_(info(model.arch).byte_order),
        shifts_(shift_rule(model)),
        code_(code),
        out_(code),
        origins_(origins),
        labels_(plan.program().size(), kNone) {}

  /// How many bytes are code; tables follow. Nothing where a target of a table has no code, which
  /// is an error of this class.
  std::optional<std::size_t> translate() {
    zero_ = out_.label();
    out_.begin(plan_.uses_memory(), plan_.reads_a_first(), plan_.reads_x_first());
    const std::size_t size = plan_.program().size();
    std::size_t at = plan_.lands(0);
    if (plan_.is_constant_return(at)) returns(at);
    for (; at < size && !plan_.is_needed(at); ++at) {
    }
    while (at < size) {
      next_ = at + 1;
      while (next_ < size && !plan_.is_needed(next_)) ++next_;
      if (labels_[at] != kNone) out_.bind(labels_[at]);
      instruction(at);
      at = next_;
    }
    for (at = 0; at < size; ++at) {
      if (!plan_.is_constant_return(at) || labels_[at] == kNone || out_.is_bound(labels_[at])) {
        continue;
      }
      returns(at);
    }
    if (zero_used_) {
      comes_from(std::nullopt);
      out_.bind(zero_);
      out_.return_constant(0);
    }
    const std::size_t code_size = out_.offset();
    for (const Table& each : tables_) write(each);
    if (lost_) return std::nullopt;
    return code_size;
  }

 private:
  using Label = std::uint32_t;
  static constexpr Label kNone = asmjit::Globals::kInvalidId;

  // A table has at most so many entries for each of its keys, and there are at most so many tables
  // for one chain.
  static constexpr std::size_t kEntriesPerKey = 8;
  static constexpr std::size_t kFewestKeys = 4;
  static constexpr std::size_t kMostTables = 4;
  // So many compares follow each other at the end of a search.
  static constexpr std::size_t kLeaf = 3;

  using Keys = std::span<const EqualityChain::Key>;

  struct Table {
    Label label = kNone;
    Keys keys;
    std::size_t otherwise = 0;
    bool of_results = false;
  };

  // The place of an instruction, for a jump.
  Label label(std::size_t at) {
    Label& out = labels_[plan_.is_constant_return(at) ? plan_.same_return(at) : at];
    if (out == kNone) out = out_.label();
    return out;
  }

  void comes_from(std::optional<std::size_t> at) {
    if (origins_ != nullptr) origins_->push_back({out_.offset(), at});
  }

  // A return of a constant, here. Jumps to others of the same come here too.
  void returns(std::size_t at) {
    comes_from(at);
    const Label shared = labels_[plan_.same_return(at)];
    if (shared == kNone) {
      out_.bind(label(at));
    } else if (!out_.is_bound(shared)) {
      out_.bind(shared);
    }
    out_.return_constant(plan_.program()[at].k);
  }

  // Goes on at an instruction.
  void go(std::size_t to) {
    if (to == next_) return;
    if (plan_.is_constant_return(to)) return returns(to);
    out_.jump(label(to));
  }

  void instruction(std::size_t at) {
    if (plan_.is_dead(at)) return go(plan_.lands(at + 1));
    comes_from(at);
    if (const EqualityChain* chain = plan_.chain_at(at)) return search(*chain);
    const Instruction& i = plan_.program()[at];
    const OpcodeInfo& row = plan_.row(at);
    switch (row.kind) {
      case OpcodeKind::Load:
        if (plan_.is_fused(at)) {
          comes_from(plan_.lands(at + 1));
          return branch(plan_.lands(at + 1), offset(i.k));
        }
        load(i, row.operand, true);
        break;
      case OpcodeKind::LoadX:
        load(i, row.operand, false);
        break;
      case OpcodeKind::Store:
      case OpcodeKind::StoreX:
        out_.store(i.k, row.kind == OpcodeKind::Store);
        break;
      case OpcodeKind::Alu:
        if (!compute(row, i.k)) return;
        break;
      case OpcodeKind::Tax:
        out_.copy_a_to_x();
        break;
      case OpcodeKind::Txa:
        out_.copy_x_to_a();
        break;
      case OpcodeKind::Branch:
        return branch(at, std::nullopt);
      case OpcodeKind::Return:  // of A: those of a constant stand elsewhere
        return out_.return_a();
      case OpcodeKind::Jump:  // nobody lands on one
        break;
    }
    go(plan_.lands(at + 1));
  }

  // Where a word lies in a SeccompData: the targets are all little-endian.
  [[nodiscard]] std::uint32_t offset(std::uint32_t k) const {
    return k >= 8 && order_ == ByteOrder::Big ? k ^ 4U : k;
  }

  void load(const Instruction& i, Operand operand, bool a) {
    if (operand == Operand::Data) {
      out_.load_word(offset(i.k));
    } else if (operand == Operand::Memory) {
      out_.load_slot(i.k, a);
    } else {
      out_.set(operand == Operand::Length ? kSeccompDataSize : i.k, a);
    }
  }

  Label zero() {
    zero_used_ = true;
    return zero_;
  }

  // False: the run ends here.
  bool compute(const OpcodeInfo& row, std::uint32_t k) {
    const Value value{row.operand == Operand::X, k};
    const Alu alu = alu_of(row.opcode);
    if (alu == Alu::Div) {
      if (!value.is_x && k == 0) return end();
      if (value.is_x) out_.go_if_x_is_0(zero());
      out_.divide(value);
    } else if (alu == Alu::Lsh || alu == Alu::Rsh) {
      if (!value.is_x) {
        if (k >= 32) return end();  // old kernels take it, and do what the machine does
        out_.shift_by_constant(alu == Alu::Lsh, k);
      } else {
        if (!shifts_) out_.go_if_x_above_31(zero());
        out_.shift_by_x(alu == Alu::Lsh, shifts_.value_or(ShiftRule::Mask5));
      }
    } else {
      out_.compute(alu, value);
    }
    return true;
  }

  bool end() {
    out_.return_constant(0);
    return false;
  }

  // The compare at `at`, of A or of a word of the data.
  void branch(std::size_t at, std::optional<std::uint32_t> word) {
    const Instruction& i = plan_.program()[at];
    const std::size_t yes = plan_.lands(at + 1U + i.jt);
    const std::size_t no = plan_.lands(at + 1U + i.jf);
    if (yes == no) return go(yes);
    const OpcodeInfo& row = plan_.row(at);
    const Test test = test_of(row.opcode);
    out_.compare(test, word, Value{row.operand == Operand::X, i.k});
    const bool yes_here = yes == next_ || (no != next_ && plan_.is_constant_return(yes) &&
                                           !plan_.is_constant_return(no));
    if (yes_here) {
      out_.jump_if_not(test, label(no));
      go(yes);
    } else {
      out_.jump_if(test, label(yes));
      go(no);
    }
  }

  // Finds A among the keys of a chain: dense ones by tables, the others by halves.
  void search(const EqualityChain& chain) {
    const Keys keys = chain.keys;
    std::vector<Keys> dense;
    std::vector<EqualityChain::Key> rest;
    for (std::size_t first = 0; first < keys.size();) {
      std::size_t last = first;
      for (std::size_t i = first; i < keys.size() && keys[i].k - keys[first].k < 0xffff; ++i) {
        if (keys[i].k - keys[first].k < kEntriesPerKey * (i - first + 1)) last = i;
      }
      const Keys cluster = keys.subspan(first, last - first + 1);
      if (cluster.size() >= kFewestKeys && dense.size() < kMostTables) {
        dense.push_back(cluster);
      } else {
        rest.insert(rest.end(), cluster.begin(), cluster.end());
      }
      first = last + 1;
    }
    for (std::size_t i = 0; i < dense.size(); ++i) {
      const bool last = i + 1 == dense.size() && rest.empty();
      const Label miss = last ? label(chain.otherwise) : out_.label();
      table(dense[i], chain.otherwise, miss);
      if (!last) out_.bind(miss);
    }
    if (!rest.empty()) halves(rest, chain.otherwise, true);
  }

  void table(Keys keys, std::size_t otherwise, Label miss) {
    Table out{out_.label(), keys, otherwise, plan_.is_constant_return(otherwise)};
    for (const EqualityChain::Key& key : keys) {
      out.of_results = out.of_results && plan_.is_constant_return(key.target);
    }
    if (!out.of_results) {
      // Now, so that they are bound when what they stand for is translated.
      label(otherwise);
      for (const EqualityChain::Key& key : keys) label(key.target);
    }
    out_.look_up(keys.front().k, keys.back().k - keys.front().k + 1, out.label, out.of_results,
                 miss);
    tables_.push_back(out);
  }

  // `ends`: nothing of the chain follows.
  void halves(Keys keys, std::size_t otherwise, bool ends) {
    if (keys.size() <= kLeaf) {
      for (const EqualityChain::Key& key : keys) {
        out_.compare(Test::Equal, std::nullopt, Value{false, key.k});
        out_.jump_if(Test::Equal, label(key.target));
      }
      if (ends) return go(otherwise);
      return out_.jump(label(otherwise));
    }
    const std::size_t middle = keys.size() / 2;
    const Label above = out_.label();
    out_.compare(Test::Greater, std::nullopt, Value{false, keys[middle].k});
    out_.jump_if(Test::Greater, above);
    out_.jump_if(Test::Equal, label(keys[middle].target));
    halves(keys.first(middle), otherwise, false);
    out_.bind(above);
    halves(keys.subspan(middle + 1), otherwise, ends);
  }

  void write(const Table& table) {
    const Keys keys = table.keys;
    out_.align_and_bind(table.label);
    const auto entry = [&](std::size_t target) {
      if (table.of_results) return plan_.program()[target].k;
      lost_ = lost_ || !out_.is_bound(label(target));
      return static_cast<std::uint32_t>(code_.labelOffset(label(target)) -
                                        code_.labelOffset(table.label));
    };
    std::vector<std::uint32_t> words(keys.back().k - keys.front().k + 1, entry(table.otherwise));
    for (const EqualityChain::Key& key : keys) words[key.k - keys.front().k] = entry(key.target);
    out_.words(words);
  }

  const Plan& plan_;
  ByteOrder order_;
  std::optional<ShiftRule> shifts_;
  asmjit::CodeHolder& code_;
  Emitter out_;
  std::vector<Origin>* origins_;
  std::vector<Label> labels_;
  std::vector<Table> tables_;
  std::size_t next_ = 0;  // what stands after the instruction that is translated
  Label zero_ = kNone;
  bool zero_used_ = false;
  bool lost_ = false;
};

}  // namespace callgate::jit
