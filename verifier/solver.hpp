#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "verifier/space.hpp"
#include "vm/seccomp_data.hpp"

/// Who decides whether a condition holds for any call, where diagrams alone cannot tell because
/// comparisons stayed opaque.
namespace callgate::verifier {

/// What a solver found out.
struct Decision {
  Holds holds = Holds::NotKnown;
  std::optional<SeccompData> call{};  ///< Sometimes: one for which the condition holds
  /// How it is known ("no way to it in a diagram of 12 nodes"), or why it is not.
  std::string how{};
};

/// Decides conditions of a Space.
class Solver {
 public:
  Solver() = default;
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;
  virtual ~Solver() = default;
  /// Never and Sometimes are proved; the call of Sometimes was tried out.
  [[nodiscard]] virtual Decision decide(const Space& space, Space::Ref condition) = 0;
};

/// By diagrams alone: exact where nothing is opaque, else by trying some calls.
class DiagramSolver final : public Solver {
 public:
  /// `otherwise` is asked where this cannot tell; it must outlive this. Without one, `why_none` is
  /// the reason that is given.
  explicit DiagramSolver(Solver* otherwise = nullptr,
                         std::string why_none = "no solver for them is built in");
  [[nodiscard]] Decision decide(const Space& space, Space::Ref condition) override;

 private:
  Solver* otherwise_;
  std::string why_none_;
};

}  // namespace callgate::verifier
