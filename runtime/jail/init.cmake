# PID 1 of every jail: static, so that it starts in no time and shares its pages with the others. Of the rooms below it
# takes the files that it needs, not the libraries: those lead to more than there are static versions of.
add_executable(evojail-init
  init_main.cpp event_loop.cpp init.cpp init_protocol.cpp init_setup.cpp launch_plan.cpp leftovers.cpp process_table.cpp
  root_tree.cpp session_process.cpp session_rules.cpp)
foreach(file base/fd base/file base/parse base/result kernel/capabilities kernel/channel kernel/clone kernel/hardening
             kernel/id_map kernel/mounts kernel/pidfd kernel/seccomp_install kernel/user_namespace)
  target_sources(evojail-init PRIVATE ${PROJECT_SOURCE_DIR}/runtime/${file}.cpp)
endforeach()
target_include_directories(evojail-init PRIVATE ${PROJECT_SOURCE_DIR}/runtime)
target_compile_options(evojail-init PRIVATE -fPIE -ffunction-sections -fdata-sections)
target_link_libraries(evojail-init PRIVATE fmt::fmt-header-only cap)
if(NOT EVOJAIL_SANITIZE)
  target_link_options(evojail-init PRIVATE -static-pie -Wl,--gc-sections)
endif()
set_target_properties(evojail-init PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/libexec/evojail)
# Whoever starts jails needs it beside.
add_dependencies(evojail_jail evojail-init)
install(TARGETS evojail-init RUNTIME DESTINATION libexec/evojail)
