using EdgeDm.DeviceManagement;
using EdgeDm.Hosting;

return await ModuleProgram.RunAsync("DeviceManagement", DeviceManagementProgram.RunAsync);
