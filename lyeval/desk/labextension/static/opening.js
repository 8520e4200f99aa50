// Runs the desk's notebook once it is open (打开方案台即运行): a container as JupyterLab loads extensions, written by hand, with no build.
(() => {
  const LOST = ["dead", "restarting", "autorestarting", "terminating"];
  const seconds = (n) => new Promise((done) => setTimeout(done, n * 1000));
  const asked = () => JSON.parse(document.getElementById("jupyter-config-data").textContent).treePath;
  const isDesk = (panel) => Boolean(panel?.context?.model?.getMetadata?.("lyeval_desk") ?? panel?.context?.model?.metadata?.lyeval_desk);

  // The desk is the notebook that the address names: others may have been left open from another day.
  const found = (app) => [...app.shell.widgets("main")].find((panel) => panel.context?.path === asked() && isDesk(panel));

  async function run(app) {
    await app.restored;
    for (let tries = 0; tries < 600 && !found(app); tries += 1) await seconds(0.1);
    const panel = found(app);
    if (!panel) return;
    app.shell.activateById(panel.id);
    app.shell.collapseLeft?.();
    const session = panel.sessionContext;
    session.statusChanged.connect((_, status) => {
      if (LOST.includes(status)) window.dispatchEvent(new CustomEvent("lyeval-desk-lost"));
    });
    await panel.context.ready;
    await session.ready;
    window.addEventListener("lyeval-desk-reopen", async () => {
      if (!session.session?.kernel || session.session.kernel.status === "dead") await session.restartKernel();
      app.shell.activateById(panel.id);
      await app.commands.execute("notebook:run-all-cells");
    });
    await app.commands.execute("notebook:run-all-cells");
  }

  const plugin = {
    id: "lyeval-desk:plugin",
    autoStart: true,
    activate: (app) => void run(app),
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["lyeval-desk"] = { init: () => {}, get: () => Promise.resolve(() => ({ default: plugin, __esModule: true })) };
})();
