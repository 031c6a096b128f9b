using EdgeDm.DevHub;
using EdgeDm.DevHub.Running;

SocketThreads.HandleThemselves();
return await DevHubCommand.RunAsync(args);
