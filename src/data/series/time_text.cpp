#include "data/series/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace carousel {
namespace {

enum Field : unsigned { kYearField, kQuarterField, kMonthField, kDayField, kHourField, kMinuteField, kSecondField };

constexpr unsigned kMonthAndDay = 1U << kMonthField | 1U << kDayField;  // written alike
constexpr unsigned kShortName = 1U << (kSecondField + 1);

constexpr std::array<std::string_view, 12> kMonthNames = {"January",   "February", "March",    "April",
                                                          "May",       "June",     "July",     "August",
                                                          "September", "October",  "November", "December"};

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }
char upper(char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter; }

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// Where a number, or the name of a month, stands in a text.
struct Piece {
  Field field = kYearField;
  std::size_t begin = 0, width = 0;
  bool named = false;
};

// A text taken apart.
struct Fields {
  TimeForm form = TimeForm::kDay;
  std::array<std::int64_t, 7> values{1970, 1, 1, 1, 0, 0, 0};  // by Field
  std::array<Piece, 7> pieces{};
  std::size_t piece_count = 0;
  bool zoned = false;
  std::int64_t offset = 0;  // seconds that the clock is ahead of UTC

  Date date() const { return {values[kYearField], values[kMonthField], values[kDayField]}; }
};

// Reads from the front of a text; each function says whether it found what it looked for.
struct Scanner {
  std::string_view text;
  Fields& fields;
  std::size_t at = 0;

  bool done() const { return at == text.size(); }
  char next() const { return done() ? '\0' : text[at]; }
  bool digits(std::size_t at_least, std::size_t at_most, std::int64_t& value) {
    const std::size_t begin = at;
    value = 0;
    while (at - begin < at_most && next() >= '0' && next() <= '9') value = value * 10 + (text[at++] - '0');
    return at - begin >= at_least;
  }
  bool number(std::size_t at_least, std::size_t at_most, Field field) {
    const std::size_t begin = at;
    if (!digits(at_least, at_most, fields.values[field])) return false;
    fields.pieces[fields.piece_count++] = {field, begin, at - begin};
    return true;
  }
  // The name of a month; the text is left where it was if there is none.
  bool month_name() {
    const std::size_t begin = at;
    while (lower(next()) >= 'a' && lower(next()) <= 'z') ++at;
    const std::string_view name = text.substr(begin, at - begin);
    for (std::size_t k = 0; k < kMonthNames.size(); ++k) {
      if (!same_letters(name, kMonthNames[k]) && !same_letters(name, kMonthNames[k].substr(0, 3))) continue;
      fields.values[kMonthField] = static_cast<std::int64_t>(k) + 1;
      fields.pieces[fields.piece_count++] = {kMonthField, begin, name.size(), true};
      return true;
    }
    at = begin;
    return false;
  }
  bool any_of(std::string_view characters) {
    if (done() || characters.find(next()) == std::string_view::npos) return false;
    ++at;
    return true;
  }
  bool word(std::string_view expected) {
    if (text.substr(at, expected.size()) != expected) return false;
    at += expected.size();
    return true;
  }
};

bool between(std::int64_t value, std::int64_t low, std::int64_t high) { return value >= low && value <= high; }

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool valid_date(const Fields& fields) {
  const auto [year, month, day] = fields.date();
  return between(month, 1, 12) && between(day, 1, days_in_month(year, month));
}

// `Z`, `UTC`, `+08:00`, `+0800`, `+08`, a blank before them or not; or nothing.
bool read_zone(Scanner& scan) {
  if (scan.done()) return true;
  scan.any_of(" ");
  scan.fields.zoned = true;
  if (scan.word("Z") || scan.word("UTC")) return scan.done();
  const bool west = scan.next() == '-';
  std::int64_t hours = 0, minutes = 0;
  if (!scan.any_of("+-") || !scan.digits(2, 2, hours)) return false;
  scan.any_of(":");
  if (!scan.done() && !scan.digits(2, 2, minutes)) return false;
  scan.fields.offset = (west ? -1 : 1) * (hours * kHourSeconds + minutes * kMinuteSeconds);
  return scan.done() && hours <= 15 && minutes <= 59;
}

// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.000`, and a zone.
bool read_clock(Scanner& scan) {
  if (!scan.number(1, 2, kHourField) || !scan.any_of(":") || !scan.number(2, 2, kMinuteField)) return false;
  if (scan.any_of(":")) {
    if (!scan.number(2, 2, kSecondField)) return false;
    std::int64_t fraction = 0;
    if (scan.any_of(".") && (!scan.digits(1, 9, fraction) || fraction != 0)) return false;
  }
  const auto& values = scan.fields.values;
  return values[kHourField] <= 23 && values[kMinuteField] <= 59 && values[kSecondField] <= 60 && read_zone(scan);
}

// `19830714`, `198307`: of years that somebody may mean.
bool read_compact(Scanner& scan) {
  const bool day = scan.text.size() == 8;
  scan.fields.form = day ? TimeForm::kDay : TimeForm::kMonth;
  scan.number(4, 4, kYearField);
  scan.number(2, 2, kMonthField);
  if (day) scan.number(2, 2, kDayField);
  return between(scan.fields.values[kYearField], 1700, 2199) && valid_date(scan.fields);
}

// Behind the name of a month: a separator and the year.
bool read_year_of_name(Scanner& scan, TimeForm form) {
  scan.fields.form = form;
  return scan.any_of("-/ ") && scan.number(4, 4, kYearField) && scan.done() && valid_date(scan.fields);
}

// `Jan 1991`, `January 1991`, `14-Jan-1991`; the text is left where it was if it has no name of a month there.
bool read_named(Scanner& scan, bool& found) {
  found = scan.month_name();
  if (found) return read_year_of_name(scan, TimeForm::kMonth);
  const Fields before = scan.fields;
  const bool day = scan.number(1, 2, kDayField) && scan.any_of("-/ ") && scan.month_name();
  if (day) {
    found = true;
    return read_year_of_name(scan, TimeForm::kDay);
  }
  scan.fields = before;
  scan.at = 0;
  return false;
}

bool read_date(Scanner& scan) {
  Fields& fields = scan.fields;
  if (is_digits(scan.text) && (scan.text.size() == 8 || scan.text.size() == 6)) return read_compact(scan);
  bool named = false;
  const bool understood = read_named(scan, named);
  if (named) return understood;
  if (!scan.number(1, 4, kYearField)) return false;
  fields.form = TimeForm::kYear;
  if (scan.done()) return scan.text.size() == 4;  // a bare number is a year only if it looks like one
  const bool separated = scan.any_of("-/ ");
  if (scan.any_of("Qq")) {
    fields.form = TimeForm::kQuarter;
    const bool found = scan.number(1, 1, kQuarterField) && between(fields.values[kQuarterField], 1, 4) && scan.done();
    fields.values[kMonthField] = 3 * fields.values[kQuarterField] - 2;
    return found;
  }
  if (separated && scan.month_name()) {  // `1991-Jan`
    fields.form = TimeForm::kMonth;
    return scan.done();
  }
  if (!separated || scan.text[scan.at - 1] == ' ' || !scan.number(1, 2, kMonthField) || !valid_date(fields)) {
    return false;
  }
  fields.form = TimeForm::kMonth;
  if (scan.done()) return true;
  if (!scan.any_of("-/") || !scan.number(1, 2, kDayField) || !valid_date(fields)) return false;
  fields.form = TimeForm::kDay;
  if (scan.done()) return true;
  fields.form = TimeForm::kClock;
  return scan.any_of(" T") && read_clock(scan);
}

std::optional<Fields> read_fields(std::string_view text) {
  Fields fields;
  Scanner scan{text, fields};
  return read_date(scan) ? std::optional(fields) : std::nullopt;
}

TimeSpan span_of(const Fields& fields) {
  const Date date = fields.date();
  const std::int64_t first = days_from_date(date);
  switch (fields.form) {
    case TimeForm::kYear:
      return {first * kDaySeconds, days_from_date({date.year + 1, 1, 1}) * kDaySeconds};
    case TimeForm::kQuarter:
      return {
          first * kDaySeconds,
          (days_from_date({date.year, date.month + 2, 1}) + days_in_month(date.year, date.month + 2)) * kDaySeconds};
    case TimeForm::kMonth:
      return {first * kDaySeconds, (first + days_in_month(date.year, date.month)) * kDaySeconds};
    case TimeForm::kClock:
      break;
    default:
      return {first * kDaySeconds, (first + 1) * kDaySeconds};
  }
  const auto& values = fields.values;
  const std::int64_t begin = first * kDaySeconds + values[kHourField] * kHourSeconds +
                             values[kMinuteField] * kMinuteSeconds + values[kSecondField] - fields.offset;
  const bool seconds = fields.pieces[fields.piece_count - 1].field == kSecondField;
  return {begin, begin + (seconds ? 1 : kMinuteSeconds)};
}

// A whole number of at most 18 digits, with a sign or without.
std::optional<std::int64_t> read_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && text.size() <= 18;
  return whole ? std::optional(value) : std::nullopt;
}

unsigned narrow_fields(const Fields& fields) {
  unsigned narrow = 0;
  for (std::size_t k = 0; k < fields.piece_count; ++k) {
    const Piece& piece = fields.pieces[k];
    if (piece.named) {
      const bool whole = kMonthNames[static_cast<std::size_t>(fields.values[kMonthField] - 1)].size() == piece.width;
      narrow |= whole ? 0 : kShortName;  // May is whole: other months tell
    } else if (piece.width == 1) {
      narrow |= 1U << piece.field;
    }
  }
  return narrow;
}

// The name of a month in the letters of `like`, small or capital; `width`: of that name or of its beginning.
std::string month_text(std::int64_t month, std::size_t width, std::string_view like) {
  std::string name(kMonthNames[static_cast<std::size_t>(month - 1)].substr(0, width));
  for (std::size_t k = 0; k < name.size(); ++k) {
    name[k] = like[k == 0 ? 0 : 1] == upper(like[k == 0 ? 0 : 1]) ? upper(name[k]) : lower(name[k]);
  }
  return name;
}

const char* name_of(TimeForm form) {
  constexpr std::array kNames = {"a whole number", "seconds since 1970", "a year", "a quarter", "a year and a month",
                                 "a date",         "a date and a time"};
  return kNames[static_cast<std::size_t>(form)];
}

}  // namespace

// Years are counted from March, so that the leap day is the last of its year.
std::int64_t days_from_date(const Date& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

Date date_from_days(std::int64_t days) {
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * from_march + 2) / 5 + 1};
}

std::int64_t days_of(std::int64_t seconds) {
  const std::int64_t rest = (seconds % kDaySeconds + kDaySeconds) % kDaySeconds;
  return (seconds - rest) / kDaySeconds;
}

std::int64_t weekday(std::int64_t days) { return ((days + 3) % 7 + 7) % 7; }  // 1970-01-01 was a Thursday

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  return month == 12 ? 31 : days_from_date({year, month + 1, 1}) - days_from_date({year, month, 1});
}

std::optional<TimeSpan> parse_time(std::string_view text) {
  const auto fields = read_fields(text);
  return fields ? std::optional(span_of(*fields)) : std::nullopt;
}

std::string TimeWriting::write(std::int64_t begin) const {
  if (form_ == TimeForm::kInteger || form_ == TimeForm::kUnixSeconds) return std::to_string(begin);
  const Fields like = *read_fields(like_);
  const std::int64_t local = begin + like.offset, days = days_of(local), clock = local - days * kDaySeconds;
  const Date date = date_from_days(days);
  const std::array<std::int64_t, 7> values{date.year,
                                           (date.month + 2) / 3,
                                           date.month,
                                           date.day,
                                           clock / kHourSeconds,
                                           clock % kHourSeconds / kMinuteSeconds,
                                           clock % kMinuteSeconds};
  std::string text;
  std::size_t at = 0;
  for (std::size_t k = 0; k < like.piece_count; ++k) {
    const Piece& piece = like.pieces[k];
    const unsigned field = 1U << piece.field;
    const bool narrow = (narrow_ & ((field & kMonthAndDay) != 0 ? kMonthAndDay : field)) != 0;
    text += like_.substr(at, piece.begin - at);
    if (piece.named) {
      const std::size_t width = (narrow_ & kShortName) != 0 ? 3 : std::string_view::npos;
      text += month_text(values[kMonthField], width, std::string_view(like_).substr(piece.begin, piece.width));
    } else {
      text += fmt::format("{:0{}}", values[piece.field], narrow ? 1 : piece.width);
    }
    at = piece.begin + piece.width;
  }
  return text + like_.substr(at);
}

std::optional<TimeSpan> TimeReader::read(std::string_view text, std::string& problem) {
  const bool first = !started_;
  started_ = true;
  const auto integer = read_integer(text);
  const auto fields = read_fields(text);
  if (first) {
    understood_ = integer.has_value() || fields.has_value();
    constexpr std::int64_t kOldest = 100'000'000, kNewest = 9'999'999'999;  // 1973 to 2286
    const bool unix_seconds = integer && between(*integer, kOldest, kNewest);
    writing_.form_ = fields ? fields->form : unix_seconds ? TimeForm::kUnixSeconds : TimeForm::kInteger;
    writing_.zoned_ = fields && fields->zoned;
  }
  if (!understood_) return TimeSpan{};
  if (writing_.form_ == TimeForm::kInteger || writing_.form_ == TimeForm::kUnixSeconds) {
    if (integer) return TimeSpan{*integer, *integer + 1};
    problem = fmt::format("the time '{}' is no whole number, as the first one is", text);
    return std::nullopt;
  }
  if (!fields || fields->form != writing_.form_) {
    problem = fmt::format("the time '{}' is not {} such as the first one{}", text, name_of(writing_.form_),
                          writing_.form_ == TimeForm::kClock ? " (in whole seconds)" : "");
    return std::nullopt;
  }
  if (fields->zoned != writing_.zoned_) {
    problem = fmt::format("the time '{}' has {} zone, but the first one has {}", text, fields->zoned ? "a" : "no",
                          fields->zoned ? "none" : "one");
    return std::nullopt;
  }
  writing_.narrow_ |= narrow_fields(*fields);
  writing_.like_ = text;
  return span_of(*fields);
}

}  // namespace carousel
