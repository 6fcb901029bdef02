#pragma once

// <callgate/testing/gtest.hpp>, as consumers write it.
#include "harness/testing/gtest.hpp"
