#pragma once

#include <gtest/gtest.h>

#include "support/store_world.hpp"

namespace evojail::test {

/// A store on each file system that there is an engine for; instantiated in incs_test.cpp.
class IncsTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  StoreWorld world_{GetParam()};
};

}  // namespace evojail::test
