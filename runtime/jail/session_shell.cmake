# Root's shell in every jail: static, so that it needs nothing of the base image and starts in no time.
add_executable(evojail-session-shell session_shell.cpp session_report_line.cpp
  filter_limit.cpp)
target_include_directories(evojail-session-shell PRIVATE ${PROJECT_SOURCE_DIR}/runtime)
target_compile_options(evojail-session-shell PRIVATE -fPIE -fno-exceptions -fno-rtti
                       -ffunction-sections -fdata-sections)
target_link_options(evojail-session-shell PRIVATE -static-pie -Wl,--gc-sections)
set_target_properties(evojail-session-shell PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/libexec/evojail)
# Whoever starts jails needs it beside.
add_dependencies(evojail_jail evojail-session-shell)
evojail_without_sanitizers(evojail-session-shell)

# What the program looks for beside its own directory (share_dir.hpp), in the build tree as installed.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/evojail)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/profiles ${PROJECT_BINARY_DIR}/share/evojail/profiles
     SYMBOLIC)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/profiles DESTINATION share/evojail)
install(TARGETS evojail-session-shell RUNTIME DESTINATION libexec/evojail)
