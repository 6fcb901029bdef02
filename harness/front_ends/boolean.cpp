#include "harness/front_ends/boolean.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace callgate::front_ends {
namespace {

using Clauses = std::vector<std::vector<ArgTest>>;

std::size_t size_of(const Clauses& clauses) {
  std::size_t out = clauses.size();
  for (const std::vector<ArgTest>& each : clauses) out += each.size();
  return out;
}

class Maker {
 public:
  explicit Maker(std::size_t most) : most_(most) {}

  std::optional<Clauses> make(const Boolean& expression, bool negate) {
    using Kind = Boolean::Kind;
    switch (expression.kind) {
      case Kind::False:
      case Kind::True:
        return (expression.kind == Kind::True) != negate ? Clauses{{}} : Clauses{};
      case Kind::Test:
        return Clauses{{negate ? negated(expression.test) : expression.test}};
      case Kind::Not:
        return make(expression.parts.front(), !negate);
      case Kind::And:
      case Kind::Or:
        return (expression.kind == Kind::And) != negate ? all(expression.parts, negate)
                                                        : any(expression.parts, negate);
    }
    return std::nullopt;
  }

 private:
  std::optional<Clauses> any(const std::vector<Boolean>& parts, bool negate) {
    Clauses out;
    std::size_t size = 0;
    for (const Boolean& part : parts) {
      auto made = make(part, negate);
      if (!made) return std::nullopt;
      size += size_of(*made);
      if (size > most_) return std::nullopt;
      std::ranges::move(*made, std::back_inserter(out));
    }
    return out;
  }

  std::optional<Clauses> all(const std::vector<Boolean>& parts, bool negate) {
    Clauses out{{}};
    for (const Boolean& part : parts) {
      const auto made = make(part, negate);
      if (!made ||
          size_of(out) * (made->size() + 1) + size_of(*made) * (out.size() + 1) > 4 * most_) {
        return std::nullopt;
      }
      Clauses next;
      for (const std::vector<ArgTest>& left : out) {
        for (const std::vector<ArgTest>& right : *made) {
          std::vector<ArgTest>& both = next.emplace_back(left);
          std::ranges::copy(right, std::back_inserter(both));
        }
      }
      out = std::move(next);
      if (size_of(out) > most_) return std::nullopt;
    }
    return out;
  }

  std::size_t most_;
};

}  // namespace

ArgTest negated(const ArgTest& test) noexcept {
  ArgTest out = test;
  switch (test.comparison) {
    case Comparison::Equal:
      out.comparison = Comparison::NotEqual;
      break;
    case Comparison::NotEqual:
      out.comparison = Comparison::Equal;
      break;
    case Comparison::Less:
      out.comparison = Comparison::GreaterEqual;
      break;
    case Comparison::LessEqual:
      out.comparison = Comparison::Greater;
      break;
    case Comparison::Greater:
      out.comparison = Comparison::LessEqual;
      break;
    case Comparison::GreaterEqual:
      out.comparison = Comparison::Less;
      break;
  }
  return out;
}

std::optional<std::vector<std::vector<ArgTest>>> disjunction_of(const Boolean& expression,
                                                                std::size_t most) {
  return Maker(most).make(expression, false);
}

}  // namespace callgate::front_ends
