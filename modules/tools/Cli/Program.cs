using EdgeDm.Cli;

return await EdgeDmCommand.RunAsync(args);
