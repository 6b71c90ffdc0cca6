#include "store/tree_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

namespace evojail {
namespace {

// Work that makes work, as directories do: all of it is done once, and everybody goes home.
TEST(TreeQueue, EndsWhenNothingIsLeft) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    TreeQueue<int> queue(8);
    std::atomic<int> done = 0;
    int first = 12;
    ASSERT_TRUE(queue.try_push(first));
    run_in_threads(threads, [&] {
      while (auto item = queue.pop()) {
        // A binary tree of this height, walked here where the queue has no room.
        std::vector<int> mine{*item};
        while (!mine.empty()) {
          const int height = mine.back();
          mine.pop_back();
          ++done;
          for (int i = 0; height > 0 && i < 2; ++i) {
            int child = height - 1;
            if (!queue.try_push(child)) mine.push_back(child);
          }
        }
        queue.finished();
      }
    });
    EXPECT_EQ(done, (1 << 13) - 1) << threads;
  }
}

TEST(TreeQueue, IsBounded) {
  TreeQueue<std::unique_ptr<int>> queue(1);
  auto one = std::make_unique<int>(1);
  auto two = std::make_unique<int>(2);
  EXPECT_TRUE(queue.try_push(one));
  EXPECT_FALSE(queue.try_push(two));
  EXPECT_NE(two, nullptr) << "what found no room stays with the caller";
}

TEST(TreeQueue, StopLeavesTheRest) {
  TreeQueue<int> queue(4);
  int item = 1;
  ASSERT_TRUE(queue.try_push(item));
  queue.stop();
  EXPECT_FALSE(queue.pop());
  EXPECT_FALSE(queue.try_push(item));
}

}  // namespace
}  // namespace evojail
