// The course on the disk: the chapters with their exercises, and the folder in which a student works.
//
// Example: const Course course = find_course();
//          const Chapter chapter = course.chapter("02");
//          start_work(course, chapter);                       // work/02-uts/enter_uts.cpp, ...
//          const Submission files = read_submission(course, chapter, course.work_of(chapter));
// Source: docs/writing-exercises.md for the files of a chapter; openat2(2) for how strangers' files are read.
#pragma once

#include <string>
#include <vector>

#include <drydock/lab/grade.hpp>
#include <drydock/lab/source.hpp>

namespace drydock::lab {

struct Chapter {
  std::string number;  // "02"
  std::string name;    // "02-uts"
  std::string folder;  // absolute
  Source source;
};

struct Course {
  std::string root;  // holds chapters/
  std::string work;  // holds NN-name/

  std::vector<std::string> chapters() const;  // names of those with an exercise
  // By number; throws Error when there is no such exercise.
  Chapter chapter(const std::string& number) const;
  std::string work_of(const Chapter& chapter) const { return work + "/" + chapter.name; }
  Kit kit(const Chapter& chapter) const;
};

// From DRYDOCK_COURSE, else the source tree that the program was built from; work/ below it, or DRYDOCK_WORK.
Course find_course();

struct Started {
  std::vector<std::string> made, kept;  // files that are new, and those that were there
};
// Writes what is missing, never over a file that is there.
Started start_work(const Course& course, const Chapter& chapter);

// Only the files of the functions are read: regular, without links, of a sensible size. A missing one counts as its stub.
Submission read_submission(const Chapter& chapter, const std::string& folder);
// With the author's solutions; with `replaced`, one function's section has another text (a mutant).
Submission reference_submission(const Chapter& chapter);
Submission stub_submission(const Chapter& chapter);
Submission mutant_submission(const Chapter& chapter, const std::string& function, const std::string& text);

// Levels 1 to 3 of the hints of a function, "02.1"; throws Error when hints.md has none.
std::vector<std::string> hints_of(const Chapter& chapter, const std::string& id);

}  // namespace drydock::lab
