#include <drydock/lab/course.hpp>

#include <fcntl.h>
#include <linux/openat2.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <drydock/image/archive/digest.hpp>
#include <drydock/kernel/error.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::lab {

namespace {

constexpr std::size_t largest_file = 256 << 10;

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string environment_or(const char* name, const std::string& otherwise) {
  const char* value = ::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

Submission with_digest(Submission submission) {
  image::Sha256 hash;
  for (const FunctionFile& file : submission.files)
    hash.update(file.function + "\n" + std::to_string(file.text.size()) + "\n" + file.text);
  submission.digest = hash.digest();
  return submission;
}

// A submission made of the chapter's own source.
Submission made_of(const Chapter& chapter, std::string (*text_of)(const Source&, const Unit&)) {
  Submission submission;
  for (const Unit& unit : chapter.source.units)
    submission.files.push_back({unit.function, text_of(chapter.source, unit), student_text(chapter.source, unit)});
  return submission;
}

Fd open_without_links(const Fd& folder, const std::string& name) {
  try {
    return sys::openat2(folder, name, O_RDONLY | O_NONBLOCK, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  } catch (const Error& error) {
    if (error.code() == ELOOP || error.code() == EXDEV)
      throw Error::refused("'" + name + "'", "it is a link", "hand in the file itself");
    throw;
  }
}

// Whoever reads this as root must not be led elsewhere, nor wait for a pipe.
std::string read_strangers_file(const Fd& folder, const std::string& name) {
  const Fd file = open_without_links(folder, name);
  const struct stat status = sys::fstat(file);
  if (!S_ISREG(status.st_mode))
    throw Error::refused("'" + name + "'", "it is no regular file", "hand in a text file of that name");
  if (static_cast<std::size_t>(status.st_size) > largest_file)
    throw Error::refused("'" + name + "'", "it is larger than 256 KB", "hand in the source only");
  return sys::read_all(file);
}

}  // namespace

Course find_course() {
  const std::string build = parent_of(parent_of(sys::readlink("/proc/self/exe")));
  Course course;
  course.root = environment_or("DRYDOCK_COURSE", parent_of(parent_of(build)));
  course.work = environment_or("DRYDOCK_WORK", course.root + "/work");
  if (!sys::exists(course.root + "/chapters"))
    throw Error::refused("the course", "there is no folder chapters in " + course.root,
                         "set DRYDOCK_COURSE to the folder that holds it");
  return course;
}

std::vector<std::string> Course::chapters() const {
  std::vector<std::string> names = sys::list_directory(root + "/chapters");
  std::erase_if(names, [&](const std::string& name) { return !sys::exists(root + "/chapters/" + name + "/exercise.cpp"); });
  return names;
}

Chapter Course::chapter(const std::string& number) const {
  for (const std::string& name : chapters())
    if (name.starts_with(number + "-") || name == number) {
      Chapter chapter{name.substr(0, 2), name, root + "/chapters/" + name, {}};
      chapter.source = parse_source(name + "/exercise.cpp", sys::read_file(chapter.folder + "/exercise.cpp"));
      return chapter;
    }
  throw Error::refused("chapter '" + number + "'", "there is no exercise of that number", "'./lab list' shows them");
}

Kit Course::kit(const Chapter& chapter) const {
  const std::string programs = parent_of(sys::readlink("/proc/self/exe"));
  Kit kit;
  kit.probe = sys::read_file(programs + "/probe");
  kit.files.push_back({"exercise.hpp", sys::read_file(chapter.folder + "/exercise.hpp")});
  kit.files.push_back({"driver.hpp", sys::read_file(root + "/chapters/shared/exercise/driver.hpp")});
  kit.driver = sys::read_file(chapter.folder + "/driver.cpp");
  return kit;
}

Started start_work(const Course& course, const Chapter& chapter) {
  Started started;
  const std::string folder = course.work_of(chapter);
  sys::mkdirs(folder);
  const auto place = [&](const std::string& name, const std::string& text) {
    const std::string path = folder + "/" + name;
    try {
      sys::write_all(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0644), text);
      started.made.push_back(path);
    } catch (const Error& error) {
      if (error.code() != EEXIST) throw;
      started.kept.push_back(path);
    }
  };
  place("exercise.hpp", sys::read_file(chapter.folder + "/exercise.hpp"));
  for (const Unit& unit : chapter.source.units) place(unit.function + ".cpp", student_text(chapter.source, unit));
  return started;
}

Submission read_submission(const Chapter& chapter, const std::string& folder) {
  if (!sys::exists(folder))
    throw Error::refused("'" + folder + "'", "there is nothing to grade", "'./lab start " + chapter.number + "' makes the files");
  const Fd directory = sys::open(folder, O_RDONLY | O_DIRECTORY);
  Submission submission = stub_submission(chapter);
  for (FunctionFile& file : submission.files) try {
      file.text = read_strangers_file(directory, file.function + ".cpp");
    } catch (const Error& error) {
      if (error.code() != ENOENT) throw;
    }
  return with_digest(std::move(submission));
}

Submission reference_submission(const Chapter& chapter) {
  return with_digest(made_of(chapter, reference_text));
}

Submission stub_submission(const Chapter& chapter) {
  return with_digest(made_of(chapter, student_text));
}

Submission mutant_submission(const Chapter& chapter, const std::string& function, const std::string& text) {
  Submission submission = made_of(chapter, reference_text);
  chapter.source.unit(function);
  for (FunctionFile& file : submission.files)
    if (file.function == function) file.text = chapter.source.preamble + text;
  return with_digest(std::move(submission));
}

// "## 02.1 enter_uts", then "1. ...", "2. ...", "3. ...", each up to the next one.
std::vector<std::string> hints_of(const Chapter& chapter, const std::string& id) {
  const std::string text = sys::read_file(chapter.folder + "/hints.md");
  std::size_t at = text.find("## " + id + " ");
  if (at == std::string::npos)
    throw Error::refused("hint " + id, "there is none", "hints are for functions: './lab list' shows their numbers");
  const std::size_t end = std::min(text.find("\n## ", at), text.size());
  std::vector<std::string> hints;
  for (int level = 1; level <= 3; ++level) {
    at = text.find("\n" + std::to_string(level) + ". ", at);
    if (at == std::string::npos || at >= end) break;
    const std::size_t next = std::min(text.find("\n" + std::to_string(level + 1) + ". ", at), end);
    std::string hint = text.substr(at + 4, next - at - 4);
    while (!hint.empty() && hint.back() == '\n') hint.pop_back();
    hints.push_back(std::move(hint));
  }
  if (hints.size() != 3)
    throw Error::refused(chapter.name + "/hints.md", "function " + id + " has not three hints",
                         "write them as '1. ', '2. ', '3. ' below its heading");
  return hints;
}

}  // namespace drydock::lab
