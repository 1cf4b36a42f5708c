// psqlODBC 13.02 loses some hundred bytes of its own with a statement that the server refuses.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT: the sanitizer calls it by this name
  return "leak:psqlodbcw.so\n";
}
