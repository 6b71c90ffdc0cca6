# fish completion for evojail(8)

function __evojail_jails
    evojail list 2>/dev/null
end

function __evojail_incs
    for jail in (evojail list 2>/dev/null)
        evojail list-incs $jail --no-header 2>/dev/null | string replace -r '^(\S+).*' "$jail/\$1"
    end
end

set -l jail_commands status rename archive remove key ip port firewall start stop restart reload is-on run inc rm list-incs verify freeze
set -l bulk_commands status firewall start stop restart reload inc rm
set -l inc_commands inc-hold inc-release inc-lock inc-unlock

complete -c evojail -f
complete -c evojail -l config -r -F -d 'Host settings'
complete -c evojail -s q -l quiet -d 'No progress, no summaries'
complete -c evojail -s h -l help -d Help
complete -c evojail -s V -l version -d Version

complete -c evojail -n __fish_use_subcommand -a init -d 'Make a jail'
complete -c evojail -n __fish_use_subcommand -a list -d 'List the jails'
complete -c evojail -n __fish_use_subcommand -a status -d 'Show jails and their sessions'
complete -c evojail -n __fish_use_subcommand -a rename -d 'Give a jail another name'
complete -c evojail -n __fish_use_subcommand -a archive -d 'Put a jail away'
complete -c evojail -n __fish_use_subcommand -a remove -d 'Remove a jail with its data and incs'
complete -c evojail -n __fish_use_subcommand -a key -d 'Show or set public keys'
complete -c evojail -n __fish_use_subcommand -a ip -d 'Show or set addresses that may connect'
complete -c evojail -n __fish_use_subcommand -a port -d 'Show or set the port'
complete -c evojail -n __fish_use_subcommand -a firewall -d 'Put rules in place, or watch over them'
complete -c evojail -n __fish_use_subcommand -a start -d 'Start a jail'
complete -c evojail -n __fish_use_subcommand -a stop -d 'Stop a jail'
complete -c evojail -n __fish_use_subcommand -a restart -d 'Stop and start a jail'
complete -c evojail -n __fish_use_subcommand -a reload -d 'Take up new settings'
complete -c evojail -n __fish_use_subcommand -a is-on -d 'Whether a jail runs'
complete -c evojail -n __fish_use_subcommand -a run -d 'Run a jail in the foreground'
complete -c evojail -n __fish_use_subcommand -a inc -d 'Take incs'
complete -c evojail -n __fish_use_subcommand -a rm -d 'Remove incs by policy'
complete -c evojail -n __fish_use_subcommand -a list-incs -d 'List the incs of a jail'
complete -c evojail -n __fish_use_subcommand -a verify -d 'Compare an inc with its manifest'
complete -c evojail -n __fish_use_subcommand -a inc-hold -d 'Keep an inc'
complete -c evojail -n __fish_use_subcommand -a inc-release -d 'Leave an inc to the policy'
complete -c evojail -n __fish_use_subcommand -a freeze -d 'Stop a jail and hold its incs'
complete -c evojail -n __fish_use_subcommand -a inc-lock -d 'Make incs read-only'
complete -c evojail -n __fish_use_subcommand -a inc-unlock -d 'Make incs writable'
complete -c evojail -n __fish_use_subcommand -a check-setup -d 'What this host lacks'
complete -c evojail -n __fish_use_subcommand -a update -d 'Build the base image anew'
complete -c evojail -n __fish_use_subcommand -a profile -d 'List, show and check profiles'

complete -c evojail -n "__fish_seen_subcommand_from $jail_commands" -a '(__evojail_jails)'
complete -c evojail -n "__fish_seen_subcommand_from $bulk_commands" -a all
complete -c evojail -n "__fish_seen_subcommand_from $inc_commands" -a '(__evojail_incs)'
complete -c evojail -n '__fish_seen_subcommand_from key' -F
complete -c evojail -n '__fish_seen_subcommand_from profile' -a 'list show check' -F

complete -c evojail -n '__fish_seen_subcommand_from init list status list-incs firewall key ip port inc rm verify check-setup update profile' -l json -d 'For machines'
complete -c evojail -n '__fish_seen_subcommand_from status list-incs' -l no-header -d 'Rows only'
complete -c evojail -n '__fish_seen_subcommand_from init' -l port -x -a auto -d 'The port'
complete -c evojail -n '__fish_seen_subcommand_from init' -l key -r -F -d 'Public keys'
complete -c evojail -n '__fish_seen_subcommand_from init' -l legacy-clients -d 'For clients of old'
complete -c evojail -n '__fish_seen_subcommand_from remove' -s f -l force -d 'Do not ask'
complete -c evojail -n '__fish_seen_subcommand_from key' -l now -d 'End all sessions'
complete -c evojail -n '__fish_seen_subcommand_from ip' -l remove -x -d 'Take off the list'
complete -c evojail -n '__fish_seen_subcommand_from firewall' -l watch -d 'Keep the rules in place'
complete -c evojail -n '__fish_seen_subcommand_from inc' -l wait -x -d 'For running sessions'
complete -c evojail -n '__fish_seen_subcommand_from inc' -l wait-lock -x -d 'For another operation'
complete -c evojail -n '__fish_seen_subcommand_from inc' -l at -x -d 'Name it after this hour'
complete -c evojail -n '__fish_seen_subcommand_from rm' -l dry-run -d 'Only show'
complete -c evojail -n '__fish_seen_subcommand_from rm' -l explain -d 'Say why'
complete -c evojail -n '__fish_seen_subcommand_from rm' -l if-fresh -d 'Not without a fresh inc'
complete -c evojail -n '__fish_seen_subcommand_from verify' -l contents -d 'Read every file'
complete -c evojail -n '__fish_seen_subcommand_from inc-hold freeze' -l reason -x -d Why
complete -c evojail -n '__fish_seen_subcommand_from inc-hold freeze' -l until -x -d 'The last day'
