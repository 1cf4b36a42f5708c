// Runs every file of the folders given through the target it is linked with: the committed corpus as an
// ordinary test, with any compiler. Exit 1 when a folder has no file, so that a lost corpus is noticed.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "property.h"

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "give the folders of the corpus\n"), 2;
  for (int i = 1; i < argc; ++i) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      // Named first: it is the last line when the target ends the process.
      std::fprintf(stderr, "%s\n", entry.path().filename().c_str());
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++count;
    }
    std::printf("%s: %zu inputs\n", argv[i], count);
    if (count == 0) return 1;
  }
  return 0;
}
