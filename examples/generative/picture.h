// picture.h: an SVG file of grey images, squares and words, for any browser.
#pragma once

#include <carousel/error.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace generative {

inline std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr const char* kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[at + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kLetters[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

// A grey PNG file, width x height bytes, 0 black .. 255 white; what browsers take inside an SVG. Not compressed.
inline std::string make_png(std::span<const std::uint8_t> grey, int width, int height) {
  std::string png = "\x89PNG\r\n\x1a\n";
  const auto number = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
    return bytes;
  };
  const auto chunk = [&](const std::string& data) {  // data: four letters of its kind, then its bytes
    std::uint32_t crc = ~0u;
    for (const char c : data) {
      crc ^= static_cast<std::uint8_t>(c);
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    }
    png += number(static_cast<std::uint32_t>(data.size()) - 4) + data + number(~crc);
  };
  std::string rows;  // each after a byte 0: not filtered
  for (int y = 0; y < height; ++y) {
    rows += '\0';
    for (int x = 0; x < width; ++x) rows += static_cast<char>(grey[static_cast<std::size_t>(y * width + x)]);
  }
  std::uint32_t low = 1, high = 0;
  for (const char c : rows) {
    low = (low + static_cast<std::uint8_t>(c)) % 65521;
    high = (high + low) % 65521;
  }
  const auto size = static_cast<unsigned>(rows.size());  // one stored block of zlib: at most 65,535 bytes
  const auto little = [](unsigned value) {
    return std::string{static_cast<char>(value & 255), static_cast<char>(value >> 8 & 255)};
  };
  chunk("IHDR" + number(static_cast<std::uint32_t>(width)) + number(static_cast<std::uint32_t>(height)) +
        std::string("\x08\0\0\0\0", 5));
  chunk("IDAT\x78\x01\x01" + little(size) + little(~size) + rows + number(high << 16 | low));
  chunk("IEND");
  return png;
}

// Positions and sizes are in pixels of the picture, from its upper left corner.
class Picture {
 public:
  struct Box {
    double x, y, width, height;
  };

  Picture(double width, double height) : size_(attribute("width", width) + attribute("height", height)) {}

  // ink: 0 paper .. 255 ink, rows of `columns` values.
  void image(const Box& box, std::span<const std::uint8_t> ink, int columns) {
    std::vector<std::uint8_t> grey(ink.begin(), ink.end());
    for (std::uint8_t& value : grey) value = static_cast<std::uint8_t>(255 - value);
    const std::string png = make_png(grey, columns, static_cast<int>(ink.size()) / columns);
    body_ += "<image" + place(box) + " href=\"data:image/png;base64," +
             base64({reinterpret_cast<const std::uint8_t*>(png.data()), png.size()}) + "\"/>\n";
  }
  // style: what SVG calls presentation attributes, fill="#888".
  void box(const Box& box, const std::string& style) { body_ += "<rect" + place(box) + " " + style + "/>\n"; }
  void text(double x, double y, const std::string& words, const std::string& style = {}) {
    body_ += "<text" + attribute("x", x) + attribute("y", y) + " " + style + ">" + words + "</text>\n";
  }

  // Throws carousel::Error if the file cannot be written.
  void save(const std::string& path) const {
    std::ofstream file(path);
    file << "<svg xmlns=\"http://www.w3.org/2000/svg\"" << size_ << " font-family=\"sans-serif\" font-size=\"12\">\n"
         << "<style>image{image-rendering:pixelated}</style>\n"
         << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
         << body_ << "</svg>\n";
    file.close();
    if (!file) throw carousel::Error(carousel::Code::kIo, path + ": cannot be written");
  }

  // ' name="3.5"'
  static std::string attribute(const char* name, double value) {
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%.5g", value);
    return std::string(" ") + name + "=\"" + number.data() + "\"";
  }

 private:
  static std::string place(const Box& box) {
    return attribute("x", box.x) + attribute("y", box.y) + attribute("width", box.width) +
           attribute("height", box.height);
  }

  std::string size_, body_;
};

}  // namespace generative
