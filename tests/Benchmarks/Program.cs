using EdgeDm.Benchmarks;

return await BenchCommand.RunAsync(args);
