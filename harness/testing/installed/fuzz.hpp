#pragma once

// <callgate/testing/fuzz.hpp>, as consumers write it.
#include "harness/testing/fuzz.hpp"
