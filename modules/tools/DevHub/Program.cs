using EdgeDm.DevHub.Running;

return await DevHubCommand.RunAsync(args);
