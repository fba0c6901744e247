// time_text.h: what the text of a time column says, and further times written in the same way.
//
// Understood: ISO 8601 with its usual shortenings (`1983`, `1983-07`, `1983-07-14`, `1983-07-14 05:00`, with seconds,
// with `T`, with `/` for `-`, without any: `19830714`, `198307`); the year may have one to four digits, so that `3-12`
// (year 3, month 12) is a month; months by their English names, whole or the first three letters (`Jan 1991`,
// `1991-Jan`, `January 1991`, `14-Jan-1991`, in small or capital letters); quarters (`2011-Q3`, `2011Q3`); zones behind
// a clock (`Z`, `UTC`, `+08:00`, `-0500`). Whole numbers are plain steps; of 9 or 10 digits, seconds since 1970-01-01.
// Proleptic Gregorian calendar; fractions of a second other than 0 are not understood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carousel {

// The stretch of time that a text names, in seconds since 1970-01-01, of UTC if it has a zone, else of the clock that
// it was written by: `1983-07` is the whole of July 1983. A whole number n is n to n + 1.
struct TimeSpan {
  std::int64_t begin = 0, end = 0;  // end excluded
};

enum class TimeForm { kInteger, kUnixSeconds, kYear, kQuarter, kMonth, kDay, kClock };

// A date or time of day; no whole number but a year of four digits (or a date without separators).
std::optional<TimeSpan> parse_time(std::string_view text);

constexpr std::int64_t kMinuteSeconds = 60, kHourSeconds = 60 * kMinuteSeconds, kDaySeconds = 24 * kHourSeconds;

// Days since 1970-01-01, and back.
struct Date {
  std::int64_t year = 1970, month = 1, day = 1;
};
std::int64_t days_from_date(const Date& date);
Date date_from_days(std::int64_t days);
std::int64_t days_of(std::int64_t seconds);  // rounded down, for times before 1970 as well
std::int64_t weekday(std::int64_t days);     // Monday 0 ... Sunday 6
std::int64_t days_in_month(std::int64_t year, std::int64_t month);

// How the times of a column are written. A value object.
class TimeWriting {
 public:
  TimeForm form() const noexcept { return form_; }
  bool is_date() const noexcept { return form_ != TimeForm::kInteger; }
  bool zoned() const noexcept { return zoned_; }
  // Another time, like those that were read: separators, zone and leading zeros as there. `begin` as TimeSpan::begin.
  std::string write(std::int64_t begin) const;

 private:
  friend class TimeReader;
  TimeForm form_ = TimeForm::kInteger;
  bool zoned_ = false;
  std::string like_;  // one of the texts
  unsigned narrow_ =
      0;  // bit k: field k was seen without a leading zero; the bit behind the last: names of three letters
};

// Reads a column of times from its first text on; that one decides what the others must be like.
class TimeReader {
 public:
  // Whether the first text was understood. If not, no other is looked at: the texts are labels without meaning.
  bool understood() const noexcept { return started_ && understood_; }
  // The time of the text; empty and `problem` filled if it is not like the first one. Of labels always 0.
  std::optional<TimeSpan> read(std::string_view text, std::string& problem);
  const TimeWriting& writing() const noexcept { return writing_; }

 private:
  bool started_ = false, understood_ = false;
  TimeWriting writing_;
};

}  // namespace carousel
