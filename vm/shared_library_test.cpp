#include "vm/shared_library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callgate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(SharedLibrary, gives_functions_by_their_names) {
  SharedLibrary math("libm.so.6");
  const auto cosine = math.function<double (*)(double)>("cos");
  ASSERT_THAT(math.missing(), IsEmpty());
  EXPECT_EQ(cosine(0.0), 1.0);
}

TEST(SharedLibrary, that_is_not_there_is_named) {
  SharedLibrary none("libcallgate_of_nowhere.so.7");
  EXPECT_EQ(none.function<void (*)()>("any"), nullptr);
  EXPECT_THAT(none.missing(), HasSubstr("libcallgate_of_nowhere.so.7"));
}

TEST(SharedLibrary, names_the_first_function_that_it_lacks) {
  SharedLibrary math("libm.so.6");
  EXPECT_EQ(math.function<void (*)()>("callgate_first"), nullptr);
  EXPECT_EQ(math.function<void (*)()>("callgate_second"), nullptr);
  EXPECT_THAT(math.missing(), HasSubstr("callgate_first"));
}

}  // namespace
}  // namespace callgate
