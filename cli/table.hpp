#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.hpp"

namespace evojail {

/// Columns under a heading, each as wide as its widest cell. Cells are ASCII.
class Table {
 public:
  enum class Align { left, right };

  void column(std::string_view heading, Align align = Align::left);

  struct Cell {
    std::string text;
    Colour colour = Colour::none;
  };
  /// One cell for each column.
  void row(std::vector<Cell> cells);

  /// A line for each row, two blanks between columns, none at the end of a line.
  [[nodiscard]] std::string format(bool with_heading, bool with_colour) const;

 private:
  struct Column {
    std::string heading;
    Align align;
    std::size_t width;
  };
  [[nodiscard]] std::string format_line(const std::vector<Cell>& cells, bool with_colour) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace evojail
