#include "cli/table.hpp"

#include <algorithm>
#include <utility>

namespace evojail {

void Table::column(std::string_view heading, Align align) {
  columns_.push_back({std::string(heading), align, heading.size()});
}

void Table::row(std::vector<Cell> cells) {
  cells.resize(columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    columns_[i].width = std::max(columns_[i].width, cells[i].text.size());
  }
  rows_.push_back(std::move(cells));
}

std::string Table::format_line(const std::vector<Cell>& cells, bool with_colour) const {
  std::string line;
  std::string gap;  // written only once something follows it
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(columns_[i].width - cells[i].text.size(), ' ');
    if (columns_[i].align == Align::right) gap += padding;
    if (!cells[i].text.empty()) {
      line += gap + coloured(cells[i].text, cells[i].colour, with_colour);
      gap.clear();
    }
    if (columns_[i].align == Align::left) gap += padding;
    gap += "  ";
  }
  return line + '\n';
}

std::string Table::format(bool with_heading, bool with_colour) const {
  std::string text;
  if (with_heading) {
    std::vector<Cell> headings;
    for (const Column& column : columns_) headings.push_back({column.heading, Colour::none});
    text += format_line(headings, false);
  }
  for (const auto& cells : rows_) text += format_line(cells, with_colour);
  return text;
}

}  // namespace evojail
