#!/usr/bin/env escript
%% 100,000 processes in a chain, a port program, a parallel sum over all schedulers, a shared table, the collector.
-mode(compile).

main(_) ->
    io:format("~s ~p~n", [erlang:system_info(otp_release), erlang:system_info(smp_support)]),
    First = self(),
    Last = lists:foldl(
        fun(_, To) -> spawn(fun() -> receive N -> To ! N + 1 end end) end,
        First,
        lists:seq(1, 100000)
    ),
    Last ! 0,
    receive Count -> io:format("chain ~p~n", [Count]) end,
    Parts = [spawn_monitor(fun() -> exit({sum, work(N)}) end) || N <- lists:seq(1, 20)],
    Sums = [receive {'DOWN', Ref, process, _, {sum, Sum}} -> Sum end || {_, Ref} <- Parts],
    io:format("sum ~p~n", [lists:sum(Sums)]),
    Table = ets:new(table, [public, {write_concurrency, true}]),
    Writers = [spawn_monitor(fun() -> ets:insert(Table, {N, N * N}) end) || N <- lists:seq(1, 500)],
    [receive {'DOWN', Ref, process, _, normal} -> ok end || {_, Ref} <- Writers],
    io:format("table ~p~n", [ets:foldl(fun({_, S}, Acc) -> S + Acc end, 0, Table)]),
    Port = open_port({spawn_executable, "/bin/cat"}, [binary, {args, ["-"]}]),
    Port ! {self(), {command, <<"through a port\n">>}},
    receive {Port, {data, Data}} -> io:put_chars(Data) end,
    Port ! {self(), close},
    receive {Port, closed} -> io:format("~ts", [os:cmd("echo command | tr a-z A-Z")]) end,
    receive after 20 -> io:format("timer~n") end,
    halt(3).

work(N) ->
    erlang:garbage_collect(),
    lists:foldl(fun(X, Acc) -> (X * N + Acc) rem 200003 end, 0, lists:seq(1, 20000)).
